import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

@Suite struct RecordingHeapTests {
  /// A finished recording with a heap of mode `sample`, and what is in it.
  private func record(
    in folder: String, seed: Int = 3, mode: HeapProfile.Mode = .sample(interval: Bytes(524_288))
  ) throws -> (path: String, profile: Profile) {
    let path = folder + "/heap.qprof"
    var heap = GrowingHeap(seed: seed, mode: mode)
    let writer = try RecordingWriter(path: path)
    for _ in 0..<6 {
      heap.grow()
      var profile = heap.profile
      // Their order in the profile has no meaning.
      if seed.isMultiple(of: 2) { profile.heap?.sites.reverse() }
      try writer.append(&profile)
    }
    heap.grow()
    try writer.finish(heap.profile)
    try writer.close()
    return (path, heap.profile)
  }

  /// Compares row by row, so that a failure shows the rows.
  private func expectEqual(_ read: HeapProfile?, _ written: HeapProfile?, _ comment: Comment? = nil)
  {
    func rows(_ heap: HeapProfile?) -> [String] {
      guard let heap else { return [] }
      return ["\(heap.mode)"] + heap.sites.map { "\($0)" } + heap.processes.map { "\($0)" }
        + heap.threads.map { "\($0)" }
    }
    let (read, written) = (rows(read).sorted(), rows(written).sorted())
    #expect(Set(read).subtracting(written) == [], comment)
    #expect(read.count == written.count, comment)
    #expect(read == written, comment)
  }

  private func error(_ path: String) -> RecordingError? {
    do {
      _ = try readRecording(path: path)
      return nil
    } catch { return error }
  }

  @Test(arguments: 1...20)
  func roundTripOfAGrowingHeap(seed: Int) throws {
    try withTemporaryFolder { folder in
      let mode: HeapProfile.Mode =
        [.full, .count, .sample(interval: Bytes(Int64(seed)))][seed % 3]
      let (path, profile) = try record(in: folder, seed: seed, mode: mode)
      let read = try readRecording(path: path)
      try #require((profile.heap?.sites.count ?? 0) > 10)
      expectEqual(read.profile.heap, profile.heap, "seed \(seed)")
      #expect(read.isComplete)
      #expect(try run("sqlite3", [path, "PRAGMA foreign_key_check"]).output == "")
    }
  }

  @Test func theHeapMayComeLaterThanTheRest() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      var heap = GrowingHeap(seed: 1, mode: .full)
      heap.grow()
      var before = heap.profile
      before.heap = nil
      let writer = try RecordingWriter(path: path)
      try writer.append(&before)
      #expect(try readRecording(path: path).profile.heap == nil)
      try writer.finish(heap.profile)
      try writer.close()
      expectEqual(try readRecording(path: path).profile.heap, heap.profile.heap)
    }
  }

  /// A transaction that fails leaves neither tables nor rows, and the next one writes all.
  @Test func aReaderDelaysTheFirstHeap() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      var heap = GrowingHeap(seed: 2, mode: .full)
      heap.grow()
      let writer = try RecordingWriter(path: path)
      let reader = Process()
      reader.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      reader.arguments = ["sqlite3", path]
      let (input, output) = (Pipe(), Pipe())
      reader.standardInput = input
      reader.standardOutput = output
      try reader.run()
      try input.fileHandleForWriting.write(
        contentsOf: Data("BEGIN; SELECT count(*) FROM meta;\n".utf8))
      _ = output.fileHandleForReading.availableData
      var profile = heap.profile
      try writer.append(&profile)
      try input.fileHandleForWriting.close()
      reader.waitUntilExit()
      #expect(try readRecording(path: path).profile.heap == nil)
      profile = heap.profile
      try writer.append(&profile)
      try writer.close()
      expectEqual(try readRecording(path: path).profile.heap, heap.profile.heap)
    }
  }

  @Test func namesAreStoredWithoutTouchingTheHeap() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      var heap = GrowingHeap(seed: 4, mode: .full)
      heap.grow()
      var profile = heap.profile
      let writer = try RecordingWriter(path: path)
      try writer.append(&profile)
      try writer.close()
      var raw = try readRecording(path: path).profile
      symbolize(&raw)
      try storeSymbols(path: path, profile: raw)
      expectEqual(try readRecording(path: path).profile.heap, heap.profile.heap)
    }
  }

  @Test(arguments: [
    ("UPDATE meta SET value = 'sample 0' WHERE key = 'heap_mode'", "interval of 0 bytes"),
    ("UPDATE meta SET value = 'sample' WHERE key = 'heap_mode'", "meta heap_mode"),
    ("UPDATE meta SET value = 'fully' WHERE key = 'heap_mode'", "meta heap_mode"),
    ("DROP TABLE heap_step", "table heap_step is missing"),
    (
      "DROP TABLE heap_thread; CREATE VIEW heap_thread AS SELECT 1", "table heap_thread is missing"
    ),
    ("UPDATE heap_site SET process = 3 WHERE id = 2", "heap site 2: process 3"),
    ("UPDATE heap_site SET stack = 99999 WHERE id = 2", "heap site 2: stack 99999"),
    ("UPDATE heap_site SET stack = -1 WHERE id = 2", "row 2: id -1 is negative"),
    ("UPDATE heap_site SET kind = 'moon' WHERE id = 2", "row 2: unknown kind 'moon'"),
    ("UPDATE heap_site SET count = -1, freed_count = -2 WHERE id = 2", "heap site 2: -1 is neg"),
    ("UPDATE heap_site SET peak_bytes = -5 WHERE id = 2", "heap site 2: -5 is negative"),
    ("UPDATE heap_site SET drawn = -5 WHERE id = 2", "heap site 2: -5 is negative"),
    ("UPDATE heap_site SET freed_bytes = bytes + 1 WHERE id = 2", "heap site 2: more is freed"),
    ("UPDATE heap_site SET freed_count = count + 1 WHERE id = 2", "heap site 2: more is freed"),
    ("UPDATE heap_site SET bytes = (1 << 62) - 1 + (1 << 62)", "numbers of the heap overflow"),
    ("UPDATE heap_site SET bytes = 'x' WHERE id = 2", "table heap_site, row 2: column 5"),
    ("UPDATE heap_site SET bytes_variance = 'x' WHERE id = 2", "heap_site, row 2: column 14"),
    ("UPDATE heap_site SET bytes_variance = -0.5 WHERE id = 2", "-0.5 is no variance"),
    ("UPDATE heap_site SET count_variance = 9e999 WHERE id = 2", "inf is no variance"),
    ("DELETE FROM heap_site WHERE id = 1", "table heap_site, row 1: ids do not count"),
    (
      "UPDATE heap_site SET (process, kind, stack) = "
        + "(SELECT process, kind, stack FROM heap_site WHERE id = 1) WHERE id = 2",
      "heap site 2: it is there twice"
    ),
    ("UPDATE heap_process SET process = 7 WHERE process = 1", "has no row in heap_process"),
    ("UPDATE heap_process SET count = -7", "heap of process 0: -7 is negative"),
    ("UPDATE heap_process SET lost = -7", "heap of process 0: -7 is negative"),
    ("UPDATE heap_process SET failed = 'x'", "table heap_process, row 0: column 10"),
    ("UPDATE heap_process SET steps_width_ns = 0", "steps of 0 ns are not possible"),
    ("UPDATE heap_process SET steps_width_ns = 1 << 62", "steps of 4611686018427387904 ns"),
    ("UPDATE heap_process SET steps_start_ns = -1", "-1 is negative"),
    ("UPDATE heap_histogram SET bucket = 64 WHERE bucket = 0", "bucket 64 is none of"),
    ("UPDATE heap_histogram SET kind = 'x' || kind", "unknown histogram 'x"),
    ("UPDATE heap_histogram SET count = -3", "-3 is negative"),
    ("DELETE FROM heap_step WHERE step = 1", "steps of process 0 do not count from 0"),
    ("UPDATE heap_step SET resident = -3", "-3 is negative"),
    ("UPDATE heap_residency SET rings = -3", "-3 is negative"),
    ("UPDATE heap_residency SET file = NULL || 1", ""),
    ("UPDATE heap_thread SET bytes = -3", "heap of thread 0: -3 is negative"),
    ("UPDATE heap_thread SET thread = 6 WHERE thread = 5", "heap: thread 6"),
  ])
  func brokenRulesAreNamed(sql: String, rule: String) throws {
    try withTemporaryFolder { folder in
      let path = try record(in: folder).path
      guard try run("sqlite3", [path, sql]).status == 0 else {
        #expect(rule.isEmpty, "refused by SQLite itself: \(sql)")
        return
      }
      guard case .damaged(path: path, rule: let found)? = error(path) else {
        Issue.record("no damage found after \(sql): \(String(describing: error(path)))")
        return
      }
      #expect(found.contains(rule), "\(found)")
    }
  }

  @Test(arguments: 1...8)
  func flippedBits(seed: Int) throws {
    var random = RepeatableRandom(seed: UInt64(seed))
    try withTemporaryFolder { folder in
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: record(in: folder).path)))
      let path = folder + "/flipped.qprof"
      for _ in 0..<40 {
        var broken = whole
        for _ in 0..<4 {
          broken[Int.random(in: 0..<broken.count, using: &random)] ^=
            1 << UInt8.random(in: 0..<8, using: &random)
        }
        try Data(broken).write(to: URL(fileURLWithPath: path))
        guard let profile = try? readRecording(path: path).profile else { continue }
        for metric in HeapMetric.allCases { _ = Folded.encode(profile.view(of: metric)) }
        _ = Pprof.encode(profile)
      }
    }
  }

  /// The size follows from what is distinct, and not from the number of events.
  @Test func sizeOfALongRunWithFewSites() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      var profile = compilerLikeProfile(samples: 100, distinctStacks: 100, depth: 20, seed: 3)
      var heap = HeapProfile(mode: .full)
      for sample in profile.samples {
        var site = HeapSite(process: ID(0), kind: .block, stack: sample.stack)
        site.allocated = HeapAmount(count: 1_000_000, bytes: 64_000_000)
        heap.sites.append(site)
      }
      profile.samples = []
      var process = HeapProcess(process: ID(0))
      process.allocated = HeapAmount(count: 100_000_000, bytes: 6_400_000_000)
      process.timeline.width = Nanoseconds(10_000_000)
      heap.processes = [process]
      profile.heap = heap
      let writer = try RecordingWriter(path: path)
      for number in 1...1000 {
        heap.processes[0].timeline.steps.append(
          HeapTimeline.Step(
            largest: 1_000_000_000 + Int64(number), live: 1_000_000_000, resident: 1_200_000_000,
            allocations: 100_000))
        for row in heap.sites.indices { heap.sites[row].freed.count += Int64(row) }
        profile.heap = heap
        if number.isMultiple(of: 10) { try writer.append(&profile) }
      }
      symbolize(&profile)
      try writer.finish(profile)
      try writer.close()
      let size = try #require(
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
      #expect(size < 300_000)
    }
  }
}

/// As samples, what the heap was in the last transaction survives the recorder's death; unlike
/// them, its rows are written over.
@Suite(.serialized) struct KilledHeapRecorderTests {
  @Test(arguments: 1...10)
  func killedAtARandomMoment(seed: Int) async throws {
    var random = RepeatableRandom(seed: UInt64(seed))
    let microseconds = UInt32.random(in: 1_000...60_000, using: &random)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("qprof-killed-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/r.qprof"

    try await #require(processExitsWith: .signal(SIGKILL)) {
      [path = path as String, microseconds = microseconds as UInt32] in
      var profile = compilerLikeProfile(samples: 400, distinctStacks: 400, depth: 15, seed: 2)
      var heap = HeapProfile(mode: .full)
      heap.sites = profile.samples.map {
        HeapSite(process: ID(0), kind: .block, stack: $0.stack)
      }
      heap.processes = [HeapProcess(process: ID(0))]
      profile.samples = []
      let writer = try RecordingWriter(path: path)
      let done = open(path + ".done", O_CREAT | O_WRONLY | O_APPEND, 0o600)
      Thread.detachNewThread {
        usleep(microseconds)
        kill(getpid(), SIGKILL)
      }
      while true {
        // One more at each site, and as many in the process, in every transaction.
        for row in heap.sites.indices { heap.sites[row].allocated.count += 1 }
        heap.processes[0].allocated.count += 1
        profile.heap = heap
        try writer.append(&profile)
        write(done, "x", 1)
      }
    }
    let acknowledged = try Data(contentsOf: URL(fileURLWithPath: path + ".done")).count
    let read = try readRecording(path: path)
    let writes = read.profile.heap?.processes.first?.allocated.count ?? 0
    #expect([acknowledged, acknowledged + 1].contains(Int(writes)), "seed \(seed)")
    let counts = Set((read.profile.heap?.sites ?? []).map(\.allocated.count))
    #expect(counts == (writes == 0 ? [] : [writes]), "seed \(seed)")
    #expect(!read.isComplete)
  }
}
