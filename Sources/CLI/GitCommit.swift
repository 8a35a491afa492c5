import Foundation

/// The commit that is checked out, for the recording's provenance. Asked for at once, and answered
/// while other things go on.
///
/// Asks through `popen`: Foundation's `Process` leaves threads behind that have no signal blocked
/// and would take those that the recorder has to pass on to its target.
final class GitCommit {
  private let output: UnsafeMutablePointer<FILE>?

  init(in folder: String) {
    let quoted = "'" + folder.replacingOccurrences(of: "'", with: "'\\''") + "'"
    output = popen("exec git -C \(quoted) rev-parse --verify --quiet HEAD 2>/dev/null", "re")
  }

  /// Nil when the folder is in no repository, or git is not there to ask. To be called once.
  func answer() -> String? {
    guard let output else { return nil }
    var line = [CChar](repeating: 0, count: 128)
    let hasLine = fgets(&line, Int32(line.count), output) != nil
    guard pclose(output) == 0, hasLine else { return nil }
    return String(decoding: line.prefix { $0 > 0 }.map { UInt8($0) }, as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
