package import Foundation

/// The folder `.qprof/recordings` of a project: where `qprof record` puts what it records, and
/// where the other commands find the latest one.
///
/// File names are `YYYYMMDD-HHMMSS-NAME.qprof`, in UTC, so that the latest recording is the last
/// by name whatever was copied or touched since.
package struct RecordingsFolder: Hashable, Sendable {
  package let path: String
  package init(path: String) { self.path = path }

  /// The recordings of the project that `folder` belongs to: the nearest folder, from `folder`
  /// upwards, that has a `.qprof` or a `qprof.toml`, but not beyond the root of a git work tree.
  /// Without one, `folder` itself.
  package static func governing(_ folder: String) -> RecordingsFolder {
    let start = URL(fileURLWithPath: folder).standardizedFileURL
    var next = start
    while true {
      if exists(".qprof", in: next) || exists("qprof.toml", in: next) { return Self(project: next) }
      if exists(".git", in: next) || next.path == "/" { return Self(project: start) }
      next.deleteLastPathComponent()
    }
  }

  /// Path of the newest recording; nil when there is none.
  package func latest() -> String? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { $0.hasSuffix(Self.suffix) && Self.stamp(of: $0) != nil }.max()
      .map { path + "/" + $0 }
  }

  /// Path for a recording of `name` that starts at `date`, after every other recording that
  /// started in the same second. Makes the folder, for its owner only, because recordings show
  /// command lines and paths.
  package func newRecordingPath(name: String, date: Date) throws(RecordingError) -> String {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw .failed(path: path, reason: "the folder cannot be made (\(error.localizedDescription))")
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let taken = Set(names.compactMap(Self.stamp(of:)))
    var date = date
    while taken.contains(Self.stamp(at: date)) { date += 1 }
    return "\(path)/\(Self.stamp(at: date))-\(Self.fileName(name))\(Self.suffix)"
  }

  private static let suffix = ".qprof"

  private init(project: URL) {
    path = project.appendingPathComponent(".qprof/recordings").path
  }

  private static func exists(_ name: String, in folder: URL) -> Bool {
    FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path)
  }

  /// `20261124-080512`.
  private static func stamp(at date: Date) -> String {
    date.formatted(
      .iso8601.year().month().day().dateSeparator(.omitted).time(includingFractionalSeconds: false)
        .timeSeparator(.omitted)
    ).replacing("T", with: "-")
  }

  /// The part of a file name that ``stamp(at:)`` wrote; nil for files from elsewhere.
  private static func stamp(of fileName: String) -> String? {
    guard fileName.prefixMatch(of: /[0-9]{8}-[0-9]{6}-/) != nil else { return nil }
    return String(fileName.prefix(15))
  }

  /// `name` in characters that need no quoting in a shell.
  private static func fileName(_ name: String) -> String {
    let safe = name.prefix(64).map { character in
      character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character))
        ? character : "-"
    }
    return safe.isEmpty ? "recording" : String(safe)
  }
}
