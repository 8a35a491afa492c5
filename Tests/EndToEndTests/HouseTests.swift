import Foundation
import Testing

/// The rules of the house that the compiler does not check.
struct HouseTests {
  /// Import direction (docs/architecture.md). A new arrow needs a decision record first.
  private static let arrows: [String: Set<String>] = [
    "CAgentWire": [],
    "CAgentCore": ["CAgentWire"],
    "CSamplerAgent": ["CAgentCore"],
    "CUnwind": [],
    "CHeapAgent": ["CAgentCore", "CSamplerAgent", "CUnwind"],
    "CLinux": [],
    "CLibunwind": [],
    "CElfutils": [],
    "CDemangle": [],
    "CZlib": [],
    "ProfileModel": [],
    "Elf": ["CElfutils", "CUnwind", "ProfileModel"],
    "Capture": ["CAgentWire", "CLibunwind", "CLinux", "CUnwind", "Elf", "ProfileModel"],
    "HeapTracker": ["CAgentWire", "CLinux", "Capture", "ProfileModel"],
    "Sampler": ["Capture", "ProfileModel"],
    "Symbols": ["CDemangle", "CElfutils", "Elf", "ProfileModel"],
    "ProfileFormats": ["CZlib", "ProfileModel"],
    "Markup": ["ProfileModel"],
    "FlameGraph": ["Markup", "ProfileModel"],
    "Reporting": ["Markup", "ProfileModel"],
    "Benchmarking": [],
    "CLI": [
      "Benchmarking", "Capture", "FlameGraph", "HeapTracker", "ProfileFormats", "ProfileModel",
      "Reporting", "Sampler", "Symbols",
    ],
  ]

  /// Packages that a target may import beside the standard library and Foundation.
  private static let products: [String: Set<String>] = [
    "ProfileFormats": ["GRDB", "SwiftProtobuf"],
    "Benchmarking": ["TOMLKit"],
    "CLI": ["ArgumentParser"],
  ]

  @Test func targetsImportOnlyAlongTheArrows() throws {
    let targets = try describedTargets().filter { $0.path.hasPrefix("Sources/") }
    #expect(Set(targets.map(\.name)) == Set(Self.arrows.keys))
    for target in targets {
      #expect(
        Set(target.target_dependencies ?? []) == Self.arrows[target.name],
        "arrows of \(target.name)")
      #expect(
        Set(target.product_dependencies ?? []) == Self.products[target.name] ?? [],
        "packages of \(target.name)")
    }
  }

  /// SwiftPM lets a source import any module that happens to be built.
  @Test func sourcesImportOnlyAlongTheArrows() throws {
    for (target, allowed) in Self.arrows {
      for (file, text) in try sources(of: target, suffixes: [".swift"]) {
        for match in text.matches(of: /(?m)^[^\/"\n]*\bimport (?:\w+ )?(\w+)/) {
          let module = String(match.1)
          #expect(
            Self.arrows[module] == nil || allowed.contains(module), "\(target)/\(file): \(module)")
        }
      }
    }
  }

  /// What goes into programs of others may need nothing but the C library: a program on a machine
  /// without Swift would not start.
  @Test(arguments: ["libqprof-sampler.so", "libqprof-heap.so"])
  func anAgentNeedsOnlyTheCLibrary(file: String) throws {
    let agent = try buildFolder().appendingPathComponent(file).path
    let dynamic = try output(of: ["readelf", "--dynamic", "--wide", agent])
    let needed = dynamic.matches(of: /\(NEEDED\)\s+Shared library: \[([^\]]*)\]/).map(\.1)
    #expect(needed == ["libc.so.6"], "\(dynamic)")
    let sections = try output(of: ["readelf", "--section-headers", "--wide", agent])
    #expect(sections.contains(".dynamic"))
    #expect(!sections.contains("swift5_"))
  }

  /// What runs inside programs of others is small enough to read: the sampler in one sitting, what
  /// the heap agent adds in another, and the reader of unwind tables in a third.
  @Test(arguments: [
    (["CAgentWire", "CAgentCore", "CSamplerAgent"], 2_000), (["CHeapAgent"], 1_500),
    (["CUnwind"], 2_000),
  ])
  func theAgentsAreSmall(targets: [String], limit: Int) throws {
    var lines = 0
    for target in targets {
      let sources = try sources(of: target, suffixes: [".c", ".h"])
      #expect(!sources.isEmpty, "no C in \(target)")
      for (_, text) in sources { lines += text.count(where: \.isNewline) }
    }
    #expect(lines < limit, "\(lines) lines")
  }

  private var repository: URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
  }

  private func sources(of target: String, suffixes: [String]) throws -> [(String, String)] {
    let folder = repository.appendingPathComponent("Sources/\(target)")
    return try FileManager.default.subpathsOfDirectory(atPath: folder.path)
      .filter { file in suffixes.contains { file.hasSuffix($0) } }
      .map { ($0, try String(contentsOf: folder.appendingPathComponent($0), encoding: .utf8)) }
  }

  /// The tests are linked into the folder that holds all products.
  private func buildFolder() throws -> URL {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: program).deletingLastPathComponent()
  }

  private struct Target: Decodable {
    var name: String
    var path: String
    var target_dependencies: [String]?
    var product_dependencies: [String]?
  }

  private func describedTargets() throws -> [Target] {
    struct Package: Decodable { var targets: [Target] }
    // `swift test` holds the lock of the build folder; reading the manifest needs none.
    let json = try output(of: [
      "swift", "package", "--package-path", repository.path, "--ignore-lock", "describe", "--type",
      "json",
    ])
    return try JSONDecoder().decode(Package.self, from: Data(json.utf8)).targets
  }

  private func output(of arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(arguments.joined(separator: " "))")
    return String(decoding: data, as: UTF8.self)
  }
}
