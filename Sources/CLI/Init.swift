import ArgumentParser
import Benchmarking
import Foundation

struct Init: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a qprof.toml with the benches of this project.",
    discussion: """
      Looks at Cargo, SwiftPM and CMake files in the current folder, and never replaces a \
      qprof.toml that is there. Example: qprof init && qprof record --bench NAME
      """)

  func run() throws {
    let path = try ConfigurationFile.propose(for: FileManager.default.currentDirectoryPath)
    try Terminal.write(Data("wrote \(path)\n".utf8))
  }
}
