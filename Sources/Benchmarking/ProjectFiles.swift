import Foundation

/// What is looked at in a project to propose its `qprof.toml`.
package struct ProjectFiles: Hashable, Sendable {
  /// Paths of all files, relative to the project's folder.
  package var paths: [String]
  /// The texts of its `Cargo.toml`, `Package.swift` and `CMakeLists.txt`, by path.
  package var manifests: [String: String]

  package init(paths: [String], manifests: [String: String]) {
    self.paths = paths
    self.manifests = manifests
  }

  static let manifestNames: Set = ["Cargo.toml", "Package.swift", "CMakeLists.txt"]

  /// The manifests of one name, as folder (empty for the project's own) and text, sorted.
  func manifests(named name: String) -> [(folder: String, text: String)] {
    manifests.keys.sorted().compactMap { path in
      guard path == name || path.hasSuffix("/" + name), let text = manifests[path] else {
        return nil
      }
      return (String(path.dropLast(name.count + (path == name ? 0 : 1))), text)
    }
  }
}

extension ProjectFiles {
  /// Lists the folder, five levels deep and without hidden, build and vendor folders.
  package init(listing folder: String) throws(BenchmarkingError) {
    self.init(paths: [], manifests: [:])
    try list(URL(fileURLWithPath: folder), relative: "", depth: 5)
  }

  private static let skipped: Set = ["target", "build", "node_modules", "vendor", "third_party"]
  private static let maximumFiles = 20_000

  private mutating func list(
    _ folder: URL, relative: String, depth: Int
  ) throws(BenchmarkingError) {
    let entries: [URL]
    do {
      entries = try FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: [.isDirectoryKey, .isSymbolicLinkKey],
        options: .skipsHiddenFiles)
    } catch {
      // A folder inside that cannot be read holds no bench of this user's.
      guard relative.isEmpty else { return }
      throw .unreadable(path: folder.path, reason: error.localizedDescription)
    }
    for entry in entries.sorted(by: { $0.path < $1.path }) where paths.count < Self.maximumFiles {
      let name = entry.lastPathComponent
      let path = relative.isEmpty ? name : relative + "/" + name
      let kind = try? entry.resourceValues(forKeys: [.isDirectoryKey, .isSymbolicLinkKey])
      if kind?.isDirectory == true {
        if depth > 1, kind?.isSymbolicLink != true, !Self.skipped.contains(name) {
          try list(entry, relative: path, depth: depth - 1)
        }
        continue
      }
      paths.append(path)
      if Self.manifestNames.contains(name) {
        manifests[path] = try ConfigurationFile.text(of: entry.path)
      }
    }
  }
}
