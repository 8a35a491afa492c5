import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

@Suite struct PprofTests {
  private func message(_ profile: Profile) throws -> PprofProfile {
    try Pprof.message(Pprof.encode(profile))
  }

  private func withFile<T>(_ profile: Profile, _ body: (String) throws -> T) throws -> T {
    try withTemporaryFolder { folder in
      let path = folder + "/profile.pb.gz"
      try Data(Pprof.encode(profile)).write(to: URL(fileURLWithPath: path))
      return try body(path)
    }
  }

  @Test func goToolAgreesWithTheHand() throws {
    let top = try withFile(smallProfile) {
      try run("go", ["tool", "pprof", "-symbolize=none", "-top", "-nodecount=20", $0])
    }
    #expect(top.status == 0)
    let rows = top.output.split(separator: "\n").map {
      $0.split(separator: " ").joined(separator: " ")
    }
    // Weights 3 + 2 + 4 + 1 of 4 ms: 40 ms in all. fast(int) is the leaf of 3 + 1, and below it
    // the library of 2; the other 4 are the library's under the marker.
    #expect(rows.contains("Showing nodes accounting for 40ms, 100% of 40ms total"), "\(rows)")
    #expect(rows.contains("24ms 60.00% 60.00% 24ms 60.00% [libwork.so.1]"), "\(rows)")
    #expect(rows.contains("16ms 40.00% 100% 24ms 60.00% fast(int) (inline)"), "\(rows)")
    #expect(rows.contains("0 0% 100% 24ms 60.00% main"), "\(rows)")
    #expect(rows.contains("0 0% 100% 24ms 60.00% outer()"), "\(rows)")
    #expect(rows.contains("0 0% 100% 16ms 40.00% [truncated: stack capped]"), "\(rows)")
    #expect(rows.contains("Duration: 2s, Total samples = 40ms ( 2.00%)"), "\(rows)")
  }

  @Test func countsAreThereToo() throws {
    let top = try withFile(smallProfile) {
      try run(
        "go", ["tool", "pprof", "-symbolize=none", "-sample_index=samples", "-top", $0])
    }
    #expect(top.output.contains("Showing nodes accounting for 10, 100% of 10 total"), "\(top)")
  }

  @Test func rawGolden() throws {
    let raw = try withFile(smallProfile) {
      try run("go", ["tool", "pprof", "-symbolize=none", "-raw", $0])
    }
    #expect(raw.status == 0)
    // The local time zone of the machine is no part of the format.
    let lines = raw.output.split(separator: "\n", omittingEmptySubsequences: false)
      .filter { !$0.hasPrefix("Time: ") }
    try golden(lines.joined(separator: "\n"), "small.pprof-raw")
  }

  @Test func fieldsOfTheMessage() throws {
    let message = try message(smallProfile)
    #expect(message.stringTable[0] == "")
    #expect(Set(message.stringTable).count == message.stringTable.count)
    let texts = message.stringTable
    #expect(message.sampleType.map { texts[Int($0.unit)] } == ["count", "nanoseconds"])
    #expect(message.sample.map(\.value) == [[4, 16_000_000], [2, 8_000_000], [4, 16_000_000]])
    // The main binary is that of main(), although the library is first in the profile.
    #expect(message.mapping.map { texts[Int($0.filename)] } == ["/bin/app", "/lib/libwork.so.1"])
    #expect(message.mapping.map(\.id) == [1, 2])
    #expect(message.mapping.map { texts[Int($0.buildID)] } == ["0102", "abcd"])
    #expect(message.mapping.map(\.memoryStart) == [0x1000, 0x1000])
    #expect(message.mapping.map(\.fileOffset) == [0x800, 0x800])
    #expect(message.mapping.map(\.hasFunctions_p) == [true, false])
    #expect(message.mapping.map(\.hasInlineFrames_p) == [true, false])
    #expect(message.timeNanos == 1_700_000_000_500_000_000)
    #expect(message.period == 4_000_000)
    #expect(
      message.comment.map { texts[Int($0)] } == [
        "command: /bin/app 'it'\\''s'", "recorded by qprof 0.1.0",
        "lost, ring full: 2 events, weight 5",
      ])
    let worker = message.sample[2].label.map { label in
      "\(texts[Int(label.key)])=\(label.str == 0 ? String(label.num) : texts[Int(label.str)])"
    }
    #expect(worker == ["thread=worker", "tid=71", "process=app", "pid=70"])
  }

  /// Threads begin in libc, so however much a worker weighs, the main thread decides.
  @Test func theMainThreadTellsTheMainBinary() {
    var profile = smallProfile
    profile.samples[2].weight = 1_000
    let main = profile.mainBinary.map { profile.strings[profile.mappings[$0].path] }
    #expect(main == "/bin/app")
    for row in profile.samples.indices { profile.samples[row].thread = nil }
    let heaviest = profile.mainBinary.map { profile.strings[profile.mappings[$0].path] }
    #expect(heaviest == "/lib/libwork.so.1")
    profile.samples = []
    #expect(profile.mainBinary == nil)
  }

  /// An exec makes a new row for a process that looks the same.
  @Test func samplesOfEqualLabelsAreMerged() throws {
    var profile = smallProfile
    let again = profile.processes.append(profile.processes[ID(0)])
    let thread = profile.threads.append(
      ThreadInfo(process: again, tid: 70, name: profile.threads[ID(0)].name))
    profile.samples[3].thread = thread
    let message = try message(profile)
    #expect(message.sample.map { $0.value[0] } == [4, 2, 4])
  }

  @Test(arguments: 1...30)
  func roundTrip(seed: Int) throws {
    let profile = RandomProfile(seed: seed, samples: 150).profile
    let read = try Pprof.decode(Pprof.encode(profile))
    #expect(Folded.encode(read) == Folded.encode(profile), "seed \(seed)")
    #expect(read.period == profile.period)
    #expect(read.valueType == profile.valueType)
    #expect(Set(read.mappings.rows.map(\.buildID)) == Set(profile.mappings.rows.map(\.buildID)))
    #expect(read.provenance.duration == profile.provenance.duration)
    // A second pass changes nothing at all.
    #expect(try Pprof.encode(Pprof.decode(Pprof.encode(read))) == Pprof.encode(read))
  }

  @Test func readsProfilesOfGo() throws {
    try withTemporaryFolder { folder in
      let source = """
        package main
        import ("os"; "runtime/pprof"; "time")
        func spin(d time.Duration) (n int) {
          for end := time.Now().Add(d); time.Now().Before(end); { n++ }
          return
        }
        func main() {
          f, _ := os.Create(os.Args[1])
          pprof.StartCPUProfile(f)
          spin(400 * time.Millisecond)
          pprof.StopCPUProfile()
          f.Close()
        }
        """
      try Data(source.utf8).write(to: URL(fileURLWithPath: folder + "/spin.go"))
      let path = folder + "/cpu.pprof"
      #expect(
        try run("env", ["GOCACHE=/tmp/qprof-go-cache", "go", "run", folder + "/spin.go", path])
          .status == 0)
      let input = try readProfile(path: path)
      #expect(input.format == .pprof)
      #expect(input.profile.valueType == .samplesCount)
      #expect(input.profile.period == .cpu(Nanoseconds(10_000_000)))
      let folded = Folded.encode(input.profile)
      #expect(folded.contains("main.main;main.spin"), "\(folded)")
      // Written again, pprof sees the same total.
      let before = try run("go", ["tool", "pprof", "-symbolize=none", "-top", path]).output
      let after = try withFile(input.profile) {
        try run("go", ["tool", "pprof", "-symbolize=none", "-top", $0]).output
      }
      let total = try #require(before.split(separator: "\n").first { $0.hasPrefix("Showing") })
      #expect(after.contains(total), "\(before)\n\(after)")
    }
  }

  @Test func bombsAreRefused() throws {
    let packed = Gzip.compress([UInt8](repeating: 0, count: 1 << 24))
    #expect(packed.count < 1 << 15)
    #expect(throws: Gzip.Failure.tooLarge) { try Gzip.decompress(packed, limit: 1 << 20) }
    #expect(try Gzip.decompress(packed, limit: 1 << 24).count == 1 << 24)
  }

  @Test func gzipMembersFollowEachOther() throws {
    let packed = Gzip.compress([1, 2, 3]) + Gzip.compress([]) + Gzip.compress([4])
    #expect(try Gzip.decompress(packed, limit: 100) == [1, 2, 3, 4])
    #expect(throws: Gzip.Failure.self) { try Gzip.decompress(Array(packed.dropLast()), limit: 100) }
    #expect(throws: Gzip.Failure.self) { try Gzip.decompress(packed + [7, 7], limit: 100) }
  }
}
