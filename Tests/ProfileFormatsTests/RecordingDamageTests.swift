import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

@Suite struct RecordingDamageTests {
  private func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  /// A finished recording of some twenty pages.
  private func recording(in folder: String) throws -> String {
    let path = folder + "/whole.qprof"
    let writer = try RecordingWriter(path: path)
    var profile = compilerLikeProfile(samples: 600, distinctStacks: 100, depth: 12, seed: 5)
    try writer.append(&profile)
    symbolize(&profile)
    try writer.finish(profile)
    try writer.close()
    return path
  }

  private func error(_ path: String) -> RecordingError? {
    do {
      _ = try readRecording(path: path)
      return nil
    } catch { return error }
  }

  @Test func newerVersionsAreRefusedWithBothNumbers() throws {
    try withTemporaryFolder { folder in
      let path = try recording(in: folder)
      #expect(try run("sqlite3", [path, "PRAGMA user_version = 2"]).status == 0)
      #expect(error(path) == .tooNew(path: path, version: 2, supported: 1))
    }
  }

  @Test func newTablesKeysAndReasonsAreNoHindrance() throws {
    try withTemporaryFolder { folder in
      let path = try recording(in: folder)
      let before = try contents(readRecording(path: path).profile)
      let additions = """
        CREATE TABLE heap_site(id INTEGER PRIMARY KEY, bytes); INSERT INTO heap_site VALUES (0, 1);
        INSERT INTO meta VALUES ('mood', 'good'); INSERT INTO loss VALUES ('moon', 1, 2, NULL)
        """
      #expect(try run("sqlite3", [path, additions]).status == 0)
      #expect(try contents(readRecording(path: path).profile) == before)
    }
  }

  @Test func whatIsNoRecordingIsSaid() throws {
    try withTemporaryFolder { folder in
      let missing = folder + "/missing"
      #expect(error(missing) == .noSuchFile(path: missing))
      #expect(error(folder) == .notARecording(path: folder))
      let empty = folder + "/empty"
      try write([], to: empty)
      #expect(
        error(empty)
          == .damaged(path: empty, rule: "the file is empty, its recorder ended before it wrote"))
      let text = folder + "/text"
      try write("hello\n".utf8, to: text)
      #expect(error(text) == .notARecording(path: text))
      let other = folder + "/other.db"
      #expect(try run("sqlite3", [other, "CREATE TABLE sample(id)"]).status == 0)
      #expect(error(other) == .notARecording(path: other))
    }
  }

  @Test(arguments: [
    (
      "UPDATE stack SET width = 3, locations = x'099999' WHERE id = (SELECT max(id) FROM stack)",
      ": location 99999"
    ),
    ("UPDATE stack SET up = 1 WHERE id = 0", "table stack, row 0: no parent 1 nodes up"),
    ("UPDATE stack SET up = -1 WHERE id = 0", "table stack, row 0: no parent -1 nodes up"),
    ("UPDATE stack SET width = 0 WHERE id = 0", "table stack, row 0: width 0 is not one of 1 to 5"),
    ("UPDATE stack SET width = 1 << 40 WHERE id = 0", "row 0: width 1099511627776 is not one of"),
    ("UPDATE stack SET width = 2, locations = x'000102' WHERE id = 0", "row 0: 3 bytes are not"),
    ("UPDATE stack SET locations = x'' WHERE id = 0", "row 0: 0 bytes are not locations"),
    ("UPDATE stack SET locations = x'1a' WHERE id = 0", "row 0: location 0 of the row has a digit"),
    ("UPDATE stack SET locations = x'b1' WHERE id = 0", "row 0: location 0 of the row has a digit"),
    (
      "UPDATE stack SET width = 5, locations = x'00000000002147483648' WHERE id = 0",
      "row 0: location 1 of the row has the id 2147483648, which is too large"
    ),
    ("UPDATE stack SET locations = 'text' WHERE id = 0", "table stack, row 0: column 3"),
    (
      "UPDATE stack SET width = 1, locations = x'01' WHERE id = 0",
      "row 1: ids do not follow from the nodes before"
    ),
    (
      "INSERT INTO stack SELECT max(id) + length(locations) / width, NULL, 1, x'00' FROM stack "
        + "WHERE id = (SELECT max(id) FROM stack)",
      "is the same as 0"
    ),
    ("UPDATE sample SET weight = -1 WHERE id = 3", "sample 3: weight -1 is negative"),
    ("UPDATE sample SET weight = 9223372036854775807", "sum of all weights overflows"),
    ("UPDATE sample SET stack = 'x' WHERE id = 3", "table sample, row 3: column 3"),
    ("UPDATE sample SET thread = 1", "sample 0: thread 1"),
    ("UPDATE sample SET delta_us = 1 << 62 WHERE id = 3", "row 3: time is out of range"),
    ("DELETE FROM string WHERE id = 4", "table string, row 4: ids do not count from 0"),
    ("UPDATE string SET text = 'cc1plus' WHERE id = 4", "row 4: the same as row 1"),
    ("UPDATE location SET function = 5000 WHERE id = 9", "location 9: function of a line 5000"),
    ("UPDATE inlined SET depth = 3 WHERE location = 8", "depths of location 8"),
    ("UPDATE mapping SET kind = 'moon'", "table mapping, row 0: unknown kind 'moon'"),
    ("UPDATE thread SET process = 2", "thread 0: process 2"),
    ("UPDATE process SET pid = 1 << 40", "table process, row 0: column 1"),
    ("UPDATE meta SET value = 'x' WHERE key = 'duration_ns'", "meta duration_ns"),
    ("UPDATE meta SET value = 1e300 WHERE key = 'start_time'", "start time 1e+300"),
    ("DROP TABLE thread", "table thread is missing"),
    (
      "DROP TABLE loss; CREATE VIEW loss AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT 1 FROM c) "
        + "SELECT 'ring full' AS reason, 1 AS events, 1 AS weight, NULL AS processes FROM c",
      "table loss is missing"
    ),
    (
      "PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = 'CREATE TABLE string(id INTEGER "
        + "PRIMARY KEY, text AS (zeroblob(1000000000)))' WHERE name = 'string'",
      "table string is missing or not that of version 1"
    ),
    ("CREATE TRIGGER t AFTER INSERT ON meta BEGIN SELECT 1; END", "it has a trigger"),
    ("PRAGMA user_version = 0", "format version 0"),
  ])
  func brokenRulesAreNamed(sql: String, rule: String) throws {
    try withTemporaryFolder { folder in
      let path = try recording(in: folder)
      #expect(try run("sqlite3", [path, sql]).status == 0)
      guard case .damaged(path: path, rule: let found)? = error(path) else {
        Issue.record("no damage found after \(sql): \(String(describing: error(path)))")
        return
      }
      #expect(found.contains(rule), "\(found)")
    }
  }

  @Test func truncatedAnywhere() throws {
    try withTemporaryFolder { folder in
      let whole = try bytes(recording(in: folder))
      let path = folder + "/cut.qprof"
      try #require(whole.count > 10 * 4096)
      for length in stride(from: 0, to: whole.count, by: 4096) {
        try write(whole.prefix(length), to: path)
        #expect(error(path) != nil, "\(length) of \(whole.count) bytes")
        try write(whole.prefix(length + 1000), to: path)
        use(path)
      }
    }
  }

  @Test(arguments: 1...8)
  func flippedBits(seed: Int) throws {
    var random = RepeatableRandom(seed: UInt64(seed))
    try withTemporaryFolder { folder in
      let whole = try bytes(recording(in: folder))
      let path = folder + "/flipped.qprof"
      for round in 0..<40 {
        var broken = whole
        // Half of the rounds aim at the header and the schema.
        let range = round.isMultiple(of: 2) ? 0..<4096 : 0..<broken.count
        for _ in 0..<4 {
          broken[Int.random(in: range, using: &random)] ^=
            1 << UInt8.random(in: 0..<8, using: &random)
        }
        try write(broken, to: path)
        use(path)
      }
    }
  }

  /// Reads what there is; what reading yields must keep the rules.
  private func use(_ path: String) {
    guard let profile = try? readRecording(path: path).profile else { return }
    #expect(throws: Never.self) { try profile.checkRules() }
    _ = Folded.encode(profile)
    _ = try? storeSymbols(path: path, profile: profile)
  }
}
