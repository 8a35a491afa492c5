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
      profile.heap = heap(of: profile)
      try writer.finish(profile)
      try writer.close()
      return try body(path)
    }
  }

  /// A site at the stack of each of the first three samples, and a mapping.
  private func heap(of profile: Profile) -> HeapProfile {
    var heap = HeapProfile(mode: .full)
    for (row, peak) in [(0, (20, 960)), (1, (4, 1000)), (2, (1, 3000))] {
      var site = HeapSite(process: ID(0), kind: .block, stack: profile.samples[row].stack)
      site.allocated = HeapAmount(count: 100, bytes: 10_000)
      site.atPeak = HeapAmount(count: Int64(peak.0), bytes: Int64(peak.1))
      heap.sites.append(site)
    }
    var mapping = HeapSite(process: ID(0), kind: .mapping, stack: profile.samples[0].stack)
    mapping.atPeak = HeapAmount(count: 1, bytes: 1 << 30)
    heap.sites.append(mapping)
    return heap
  }

  @Test func documentedQueries() throws {
    let queries = try queries()
    try #require(queries.count == 4)
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
      #expect(answers[3] == "libwork.so.1+0x2345|4000|5\nfast(int)|960|20\n")
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

  /// The views unfold the runs of nodes to what the profile has.
  @Test func stacksOfTheViews() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      let writer = try RecordingWriter(path: path)
      let profile = compilerLikeProfile(samples: 150, distinctStacks: 100, depth: 15, seed: 9)
      // Ids of one, two and more digits, and runs of both widths.
      try #require(profile.locations.count > 110)
      try writer.finish(profile)
      try writer.close()

      let nodes = profile.stacks.rows.enumerated().map { id, node in
        "\(id)|\(node.parent.map { "\($0.index)" } ?? "")|\(node.location.index)\n"
      }
      let unfolded = "SELECT id, parent, location FROM stack_node ORDER BY id"
      #expect(try run("sqlite3", [path, unfolded]).output == nodes.joined())
      let places = profile.samples.enumerated().flatMap { id, sample in
        profile.locations(of: sample.stack).enumerated().map { "\(id)|\($0)|\($1.index)\n" }
      }
      let walked = "SELECT sample, depth, location FROM sample_location ORDER BY sample, depth"
      #expect(try run("sqlite3", [path, walked]).output == places.joined())
    }
  }

  @Test func stacksOfHeapSites() throws {
    try withRecording { path in
      let heap = heap(of: smallProfile)
      let places = heap.sites.enumerated().flatMap { id, site in
        smallProfile.locations(of: site.stack).enumerated().map { "\(id)|\($0)|\($1.index)\n" }
      }
      let walked = "SELECT site, depth, location FROM heap_site_location ORDER BY site, depth"
      let found = try run("sqlite3", [path, walked]).output
      #expect(found == places.joined())
    }
  }

  @Test func packedLocationsAreDecimalDigits() throws {
    let small = PackedLocations([7, 99, 0].map { ID($0) })
    #expect(small.width == 1 && small.bytes == [0x07, 0x99, 0x00])
    let wide = PackedLocations([7, 5739, 100].map { ID($0) })
    #expect(wide.width == 2 && wide.bytes == [0x00, 0x07, 0x57, 0x39, 0x01, 0x00])
    let largest = PackedLocations([ID(Int(Int32.max))])
    #expect(largest.width == 5 && largest.bytes == [0x21, 0x47, 0x48, 0x36, 0x47])
    for packed in [small, wide, largest] {
      let ids = try PackedLocations.unpack(packed.bytes, width: Int64(packed.width))
      #expect(PackedLocations(ids) == packed)
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
