package import Foundation

/// What was built before the tests ran.
package enum BuiltProducts {
  /// Holds `qprof` and the agent: tests are linked into the folder of all products.
  package static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  package static let qprof = folder.appendingPathComponent("qprof").path

  package static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// The path of a program or file of `Tests/Workloads`.
  package static func workload(_ name: String) throws -> String {
    let path = repository.appendingPathComponent(".build/workloads/\(name)").path
    guard FileManager.default.fileExists(atPath: path) else { throw MissingWorkload(path: path) }
    return path
  }
}

/// The Makefile's step before `swift test` was left out.
package struct MissingWorkload: Error, CustomStringConvertible {
  package let path: String
  package var description: String {
    "there is no workload \(path): build them with 'make workloads', or test with 'make test'"
  }
}
