import GRDB

/// Why a recording could not be written or read. Every case names the file.
package enum RecordingError: Error, Hashable, Sendable {
  case noSuchFile(path: String)
  /// The folder that should hold the new file does not exist.
  case noFolder(path: String)
  case noPermission(path: String)
  /// The writer never overwrites; also said of a symbolic link.
  case alreadyExists(path: String)
  case notARecording(path: String)
  /// Written by a newer qprof.
  case tooNew(path: String, version: Int64, supported: Int64)
  /// `rule` is the first rule of the format that does not hold.
  case damaged(path: String, rule: String)
  /// Another process kept the file locked.
  case busy(path: String)
  /// Input or output failed; `reason` is the system's or SQLite's.
  case failed(path: String, reason: String)
}

extension RecordingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noSuchFile(let path):
      "there is no recording '\(path)'; check the path, or make one with 'qprof record'"
    case .noFolder(let path):
      "'\(path)' cannot be created, because its folder does not exist; create the folder, or name "
        + "another file with -o"
    case .noPermission(let path):
      "the recording '\(path)' may not be opened; check the permissions of the file and its folder"
    case .alreadyExists(let path):
      "'\(path)' exists already and is not overwritten; remove it or name another file with -o"
    case .notARecording(let path):
      "'\(path)' is not a recording of qprof; record one with 'qprof record -o FILE'"
    case .tooNew(let path, let version, let supported):
      "the recording '\(path)' has format version \(version), and this qprof reads versions up to "
        + "\(supported); upgrade qprof to open it"
    case .damaged(let path, let rule):
      "the recording '\(path)' is damaged: \(rule); record again, or copy the file anew if it was "
        + "transferred"
    case .busy(let path):
      "the recording '\(path)' is locked by another process; try again when that has finished"
    case .failed(let path, let reason):
      "the recording '\(path)' could not be read or written: \(reason); check the disk and its "
        + "free space"
    }
  }
}

extension RecordingError {
  /// What an error met at work on the database of `path` means.
  init(_ error: any Error, path: String) {
    switch error {
    case let error as RecordingError: self = error
    case let error as BrokenRule: self = .damaged(path: path, rule: error.rule)
    case let error as DatabaseError: self.init(database: error, path: path)
    default: self = .failed(path: path, reason: "\(error)")
    }
  }

  private init(database error: DatabaseError, path: String) {
    let reason = error.message ?? "SQLite error \(error.extendedResultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_NOTADB: self = .notARecording(path: path)
    case .SQLITE_CORRUPT, .SQLITE_ERROR, .SQLITE_CONSTRAINT, .SQLITE_MISMATCH, .SQLITE_TOOBIG:
      self = .damaged(path: path, rule: reason)
    case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
      self = .noPermission(path: path)
    case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path)
    default: self = .failed(path: path, reason: reason)
    }
  }
}

/// The first rule that untrusted data breaks, in words: "thread 3: process 9 does not exist".
struct BrokenRule: Error, Hashable {
  let rule: String
  init(_ rule: String) { self.rule = rule }
}
