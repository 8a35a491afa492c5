import Foundation
import Testing

@testable import Benchmarking

/// A folder of its own for one test, removed afterwards.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("qprof-benchmarking-\(UUID().uuidString)")

  init(_ files: [String: String] = [:]) throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    for (path, text) in files {
      let file = url.appendingPathComponent(path)
      try FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: file)
    }
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ relative: String) -> String { url.appendingPathComponent(relative).path }
}

struct ConfigurationFileTests {
  @Test func theNearestFileUpwardsCounts() throws {
    let folder = try TemporaryFolder(["qprof.toml": "", "a/qprof.toml": "", "a/b/c/x": ""])
    #expect(ConfigurationFile.find(from: folder.path("a/b/c")) == folder.path("a/qprof.toml"))
    #expect(ConfigurationFile.find(from: folder.path("a")) == folder.path("a/qprof.toml"))
    #expect(ConfigurationFile.find(from: folder.path(".")) == folder.path("qprof.toml"))
  }

  @Test func theSearchEndsAtTheRepository() throws {
    let folder = try TemporaryFolder(["qprof.toml": "", "repo/.git/HEAD": "", "repo/a/x": ""])
    #expect(ConfigurationFile.find(from: folder.path("repo/a")) == nil)
    #expect(
      throws: BenchmarkingError.noConfiguration(folder: folder.path("repo/a"))
    ) { try ConfigurationFile.load(from: folder.path("repo/a")) }
  }

  @Test func loadsRelativeToTheFile() throws {
    let folder = try TemporaryFolder([
      "qprof.toml": "[bench.a]\nmodule = 'm'\ncommand = ['./a']\ncwd = 'x'", "sub/y": "",
    ])
    let bench = try ConfigurationFile.load(from: folder.path("sub")).bench(named: "a")
    #expect(bench.workingDirectory == folder.path("x"))
  }

  @Test func unreadableFilesAreErrors() throws {
    let folder = try TemporaryFolder(["qprof.toml/x": ""])
    let path = folder.path("qprof.toml")
    let error = #expect(throws: BenchmarkingError.self) { try ConfigurationFile.read(path) }
    #expect(error?.description.hasPrefix("\(path): cannot be read: ") == true)
    try Data([0x61, 0xff]).write(to: folder.url.appendingPathComponent("binary"))
    #expect(
      throws: BenchmarkingError.unreadable(
        path: folder.path("binary"), reason: "it is not UTF-8 text")
    ) { try ConfigurationFile.read(folder.path("binary")) }
  }

  /// The repository's own file.
  @Test func theReferenceSuiteIsConfigured() throws {
    let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path
    let configuration = try ConfigurationFile.load(from: repository)
    #expect(configuration.benches.map(\.name) == ["ml_dsa", "ml_kem"])
    #expect(configuration.benches.allSatisfy { $0.module == "crypto" && $0.build != nil })
  }

  @Test func proposingWritesAFileThatLoadsAndNeverReplacesOne() throws {
    let folder = try TemporaryFolder([
      "Cargo.toml": "[package]\nname = 'dag'", "benches/order.rs": "", "target/x/benches/no.rs": "",
      ".hidden/Cargo.toml": "[package]\nname = 'hidden'\n[[bench]]\nname = 'hidden'",
    ])
    let path = try ConfigurationFile.propose(for: folder.url.path)
    #expect(path == folder.path("qprof.toml"))
    #expect(try ConfigurationFile.read(path).benches.map(\.name) == ["order"])
    #expect(throws: BenchmarkingError.alreadyConfigured(path: path)) {
      try ConfigurationFile.propose(for: folder.url.path)
    }
  }

  @Test func anErrorShowsWhatWasLookedForAndAnExampleThatWorks() throws {
    let folder = try TemporaryFolder(["README": ""])
    let error = #expect(throws: BenchmarkingError.self) {
      try ConfigurationFile.propose(for: folder.url.path)
    }
    let text = try #require(error?.description)
    let example = try #require(text.range(of: "\n\n"))
    let read = try Configuration(toml: String(text[example.upperBound...]), path: "qprof.toml")
    #expect(read.benches.map(\.name) == ["NAME"])
    #expect(!FileManager.default.fileExists(atPath: folder.path("qprof.toml")))
  }
}
