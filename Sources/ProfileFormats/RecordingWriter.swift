import Foundation
import GRDB
package import ProfileModel

/// Writes a recording while the recorded program runs.
///
/// Each ``append(_:)`` is one transaction, so that a writer killed at any time leaves a file with
/// everything but the last transaction: SQLite's rollback journal undoes a half-written one when
/// the file is next opened. `synchronous` is off: the kernel holds what a dead process wrote, and
/// a recording is not worth a disk flush each second, which would slow the recorded program.
package final class RecordingWriter {
  private let path: String
  private let queue: DatabaseQueue
  /// Tells readers that this writer lives. Nil once it is closed.
  private var lock: RecordingLock?
  private var written = WrittenRows()

  /// Creates the file with mode 0600. Neither follows a symbolic link nor touches a file that
  /// exists: the caller removes or renames an old one.
  package init(path: String) throws(RecordingError) {
    let lock = try RecordingLock(creating: path)
    do {
      var configuration = Configuration()
      configuration.foreignKeysEnabled = false
      configuration.busyMode = .timeout(0.2)
      configuration.label = "qprof recording"
      let queue = try DatabaseQueue(path: sqlitePath(path), configuration: configuration)
      try queue.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF")
        try db.inTransaction {
          try RecordingSchema.create(in: db)
          return .commit
        }
      }
      self.path = path
      self.queue = queue
      self.lock = consume lock
    } catch {
      unlink(path)
      throw RecordingError(error, path: path)
    }
  }

  /// Writes what is new since the last call, and clears `profile.samples`. Called about once a
  /// second. When another program reads the file just then, nothing is written, and the samples
  /// stay in `profile` for the next call; so they do after an error.
  package func append(_ profile: inout Profile) throws(RecordingError) {
    do {
      try write(profile)
    } catch {
      if case .busy = error { return }
      throw error
    }
    profile.samples.removeAll(keepingCapacity: true)
  }

  /// Writes the symbolised profile and marks the recording symbolised and complete. A reader may
  /// delay this by seconds, since nobody waits for samples any more.
  package func finish(_ profile: Profile) throws(RecordingError) {
    try perform { try $0.execute(sql: "PRAGMA busy_timeout = 10000") }
    try write(profile) { db in
      try WrittenRows.writeSymbols(of: profile, in: db)
      try WrittenRows.setMeta(RecordingSchema.completeKey, 1, in: db)
    }
  }

  package func close() throws(RecordingError) {
    do { try queue.close() } catch { throw RecordingError(error, path: path) }
    lock = nil
  }

  private func write(
    _ profile: Profile, and more: (Database) throws -> Void = { _ in }
  ) throws(RecordingError) {
    var next = written
    try perform { db in
      try db.inTransaction {
        try next.write(profile, in: db)
        try more(db)
        return .commit
      }
    }
    written = next
  }

  private func perform(_ body: (Database) throws -> Void) throws(RecordingError) {
    do {
      try queue.writeWithoutTransaction(body)
    } catch {
      throw RecordingError(error, path: path)
    }
  }
}

/// SQLite gives some relative names a meaning of its own, such as `:memory:`.
func sqlitePath(_ path: String) -> String {
  path.hasPrefix("/") ? path : "./" + path
}

/// Puts the functions and lines of `profile`, which is the recording at `path` symbolised, into
/// that file: for the first reader of a recording whose writer never came to its end. Throws
/// ``RecordingError/busy(path:)`` while the writer lives, which will do it itself.
package func storeSymbols(path: String, profile: Profile) throws(RecordingError) {
  let lock = try RecordingLock(of: path)
  do {
    try lock.whileHeld {
      var configuration = Configuration()
      configuration.foreignKeysEnabled = false
      configuration.busyMode = .timeout(5)
      let queue = try DatabaseQueue(path: sqlitePath(path), configuration: configuration)
      try queue.write { db in
        try checkFormat(of: db, path: path)
        var rows = try WrittenRows(of: profile, alreadyIn: db)
        try rows.writeNames(of: profile, in: db)
        try WrittenRows.writeSymbols(of: profile, in: db)
      }
      try queue.close()
    }
  } catch {
    throw RecordingError(error, path: path)
  }
}
