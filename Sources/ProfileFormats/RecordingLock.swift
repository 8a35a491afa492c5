import Foundation

/// Held by whoever writes to a recording for as long as it may still write; the kernel lets go of
/// it when that process dies. SQLite's own locks last a transaction, and do not meet this one.
///
/// The file must stay open as long as SQLite uses it: closing any descriptor of a file drops the
/// process's SQLite locks on it.
struct RecordingLock: ~Copyable {
  private let file: Int32

  /// Creates the file with mode 0600; never follows a symbolic link or opens what exists.
  init(creating path: String) throws(RecordingError) {
    let file = open(path, O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      let code = errno
      switch code {
      case EEXIST, ELOOP: throw .alreadyExists(path: path)
      case ENOENT, ENOTDIR: throw .noFolder(path: path)
      default: throw RecordingError(errno: code, path: path)
      }
    }
    // Nobody can hold it yet. Where a file system has no such locks, readers see a dead writer.
    flock(file, LOCK_EX | LOCK_NB)
    self.file = file
  }

  /// Throws ``RecordingError/busy(path:)`` when another writer holds it.
  init(of path: String) throws(RecordingError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw RecordingError(errno: errno, path: path) }
    guard flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      close(file)
      throw .busy(path: path)
    }
    self.file = file
  }

  deinit { close(file) }

  borrowing func whileHeld(_ body: () throws -> Void) rethrows { try body() }
}

extension RecordingError {
  /// Why an existing file could not be opened.
  init(errno code: Int32, path: String) {
    switch code {
    case ENOENT, ENOTDIR: self = .noSuchFile(path: path)
    case EACCES, EPERM, EROFS: self = .noPermission(path: path)
    default: self = .failed(path: path, reason: String(cString: strerror(code)))
    }
  }
}

/// Whether the writer of the recording at `path` still lives.
package func isBeingRecorded(path: String) -> Bool {
  do {
    _ = try RecordingLock(of: path)
    return false
  } catch {
    return error == .busy(path: path)
  }
}
