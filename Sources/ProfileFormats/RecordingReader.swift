import Foundation
import GRDB
package import ProfileModel

/// Reads the recording at `path`, also one that is still being written.
///
/// A recorder that was killed may have left a rollback journal; it is played back, which changes
/// the file, or a private copy of it where the folder may not be written.
/// - Returns: the profile, whether functions and lines are in it, and whether its writer came to
///   its end.
package func readRecording(path: String) throws(RecordingError) -> (
  profile: Profile, isSymbolized: Bool, isComplete: Bool
) {
  try checkReadable(path)
  do {
    return try withReadableDatabase(path: path) { db in
      try checkFormat(of: db, path: path)
      try checkLength(of: db, path: path)
      var tables = RecordingTables(db: db)
      try tables.read()
      try tables.profile.checkRules()
      return (tables.profile, tables.isSymbolized, tables.isComplete)
    }
  } catch {
    throw RecordingError(error, path: path)
  }
}

private func checkReadable(_ path: String) throws(RecordingError) {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw RecordingError(errno: errno, path: path) }
  defer { close(file) }
  var status = stat()
  guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
    throw .notARecording(path: path)
  }
  guard status.st_size > 0 else {
    throw .damaged(path: path, rule: "the file is empty, its recorder ended before it wrote")
  }
}

/// Checks that the database is a recording of this version, with the tables of this version.
func checkFormat(of db: Database, path: String) throws {
  let application = try Int64.fetchOne(db, sql: "PRAGMA application_id")
  guard application == RecordingSchema.applicationID else {
    throw RecordingError.notARecording(path: path)
  }
  let version = try Int64.fetchOne(db, sql: "PRAGMA user_version") ?? 0
  guard version <= RecordingSchema.version else {
    throw RecordingError.tooNew(path: path, version: version, supported: RecordingSchema.version)
  }
  guard version > 0 else { throw BrokenRule("format version \(version) never existed") }
  try RecordingSchema.check(RecordingSchema.tables, in: db)
  guard try Int.fetchOne(db, sql: "SELECT 1 FROM sqlite_master WHERE type = 'trigger'") == nil
  else { throw BrokenRule("it has a trigger, which no qprof makes") }
}

/// SQLite itself notices a missing end only when it needs a page from there.
private func checkLength(of db: Database, path: String) throws {
  let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
  let size = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
  let (expected, overflow) = pages.multipliedReportingOverflow(by: size)
  var status = stat()
  guard !overflow, stat(path, &status) == 0 else { throw BrokenRule("its size is nonsense") }
  guard Int64(status.st_size) >= expected else {
    throw BrokenRule("it is cut short: \(status.st_size) of \(expected) bytes are there")
  }
}

// MARK: - Opening

/// Opens the file read-only where that is enough, and so that a journal is played back where one
/// was left.
private func withReadableDatabase<T>(path: String, _ body: (Database) throws -> T) throws -> T {
  guard hasJournal(path) else { return try withDatabase(path, readonly: true, body) }
  let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
  if access(path, W_OK) == 0, access(folder, W_OK) == 0 {
    return try withDatabase(path, readonly: false, body)
  }
  return try withCopy(of: path) { copy in try withDatabase(copy, readonly: false, body) }
}

private func hasJournal(_ path: String) -> Bool {
  var status = stat()
  return stat(path + "-journal", &status) == 0 && status.st_size > 0
}

private func withDatabase<T>(
  _ path: String, readonly: Bool, _ body: (Database) throws -> T
) throws -> T {
  var configuration = Configuration()
  configuration.readonly = readonly
  configuration.foreignKeysEnabled = false
  configuration.busyMode = .timeout(5)
  configuration.prepareDatabase { db in
    try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
  }
  let queue = try DatabaseQueue(path: sqlitePath(path), configuration: configuration)
  let result = try queue.read(body)
  try queue.close()
  return result
}

/// Runs `body` on a copy of a recording and its journal in a private folder.
func withCopy<T>(of path: String, _ body: (String) throws -> T) throws -> T {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("qprof-\(UUID().uuidString)")
  try FileManager.default.createDirectory(
    at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  defer { try? FileManager.default.removeItem(at: folder) }
  let copy = folder.appendingPathComponent("recording").path
  try FileManager.default.copyItem(atPath: path, toPath: copy)
  try FileManager.default.copyItem(atPath: path + "-journal", toPath: copy + "-journal")
  for file in [copy, copy + "-journal"] { chmod(file, 0o600) }
  return try body(copy)
}
