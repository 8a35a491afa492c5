import Foundation

/// The commit that is checked out, for the recording's provenance.
enum GitCommit {
  /// Nil when the folder is in no repository, or git is not there to ask.
  ///
  /// Asks through `popen`: Foundation's `Process` leaves threads behind that have no signal blocked
  /// and would take those that the recorder has to pass on to its target.
  static func current(in folder: String) -> String? {
    let quoted = "'" + folder.replacingOccurrences(of: "'", with: "'\\''") + "'"
    let git = "exec git -C \(quoted) rev-parse --verify --quiet HEAD 2>/dev/null"
    guard let output = popen(git, "re") else { return nil }
    var line = [CChar](repeating: 0, count: 128)
    let hasLine = fgets(&line, Int32(line.count), output) != nil
    guard pclose(output) == 0, hasLine else { return nil }
    return String(decoding: line.prefix { $0 > 0 }.map { UInt8($0) }, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
