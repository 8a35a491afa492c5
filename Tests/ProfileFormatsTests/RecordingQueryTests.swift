import Foundation
import ProfileModel
import Testing

@testable import ProfileFormats

/// docs/formats/recording.md promises what `sqlite3` shows; its queries are run as they stand.
@Suite struct RecordingQueryTests {
  private func queries() throws -> [String] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../docs/formats/recording.md")
    let text = try String(contentsOf: file, encoding: .utf8)
    return text.components(separatedBy: "```sql\n").dropFirst().compactMap {
      $0.components(separatedBy: "```").first
    }
  }

  private func withRecording<T>(_ body: (String) throws -> T) throws -> T {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      let writer = try RecordingWriter(path: path)
      var profile = smallProfile
      for row in profile.samples.indices {
        profile.samples[row].time = Nanoseconds([0, 4_000_900, 3_000_000, 9_500_000][row])
      }
      try writer.finish(profile)
      try writer.close()
      return try body(path)
    }
  }

  @Test func documentedQueries() throws {
    let queries = try queries()
    try #require(queries.count == 3)
    try withRecording { path in
      let answers = try queries.map { try run("sqlite3", [path, $0]).output }
      #expect(answers[0] == "libwork.so.1+0x2345|6\nfast(int)|4\n")
      #expect(
        answers[1] == """
          fast(int)|6
          libwork.so.1+0x2345|6
          main|6
          outer()|6
          [truncated: stack capped]|4

          """)
      #expect(answers[2] == "app|70|6|0.0|0.0095\nworker|71|4|0.003|0.003\n")
    }
  }

  @Test func documentedIdentity() throws {
    try withRecording { path in
      let identity = try run(
        "sqlite3",
        [
          path,
          "SELECT printf('%x', application_id), user_version FROM pragma_application_id, pragma_user_version",
        ])
      #expect(identity.output == "51505246|1\n")
      #expect(try run("sqlite3", [path, "PRAGMA integrity_check"]).output == "ok\n")
      #expect(try run("sqlite3", [path, "PRAGMA foreign_key_check"]).output == "")
      let command = "SELECT atom FROM meta, json_each(meta.value) WHERE meta.key = 'command'"
      #expect(try run("sqlite3", [path, command]).output == "/bin/app\nit's\n")
    }
  }

  /// The view begins with the marker of a stack too, as the table alone does not.
  @Test func markersAreFrames() throws {
    try withRecording { path in
      let markers = "SELECT name, module FROM frame WHERE name LIKE '[%'"
      let found = try run("sqlite3", [path, markers]).output
      #expect(found == "[truncated: stack capped]|\n")
    }
  }
}
