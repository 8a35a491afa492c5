import Foundation

/// Finding and reading `qprof.toml`.
package enum ConfigurationFile {
  package static let name = "qprof.toml"

  /// The nearest `qprof.toml` in `folder` or above it. The search ends at the root of the git
  /// work tree, so that a file outside a project never governs it.
  package static func find(from folder: String) -> String? {
    var folder = URL(fileURLWithPath: folder).standardizedFileURL
    while true {
      let file = folder.appendingPathComponent(name).path
      if FileManager.default.fileExists(atPath: file) { return file }
      let isRepository = FileManager.default.fileExists(
        atPath: folder.appendingPathComponent(".git").path)
      if isRepository || folder.path == "/" { return nil }
      folder.deleteLastPathComponent()
    }
  }

  /// Finds and reads the configuration that governs `folder`.
  package static func load(from folder: String) throws(BenchmarkingError) -> Configuration {
    guard let path = find(from: folder) else { throw .noConfiguration(folder: folder) }
    return try read(path)
  }

  package static func read(_ path: String) throws(BenchmarkingError) -> Configuration {
    try Configuration(toml: text(of: path), path: path)
  }

  static func text(of path: String) throws(BenchmarkingError) -> String {
    let bytes: Data?
    do {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      bytes = try file.read(upToCount: StrictTable.maximumBytes + 1)
    } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
    guard let text = String(bytes: bytes ?? Data(), encoding: .utf8) else {
      throw .unreadable(path: path, reason: "it is not UTF-8 text")
    }
    return text
  }
}

/// The folder part of a path: `.` for a bare name.
func parentFolder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
