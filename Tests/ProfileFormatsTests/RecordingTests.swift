import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

@Suite struct RecordingTests {
  @Test(arguments: 1...20)
  func roundTripInPieces(seed: Int) throws {
    var random = RepeatableRandom(seed: UInt64(seed))
    let profile = RandomProfile(seed: seed).profile
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      let writer = try RecordingWriter(path: path)
      var growing = profile
      growing.samples = []
      for sample in profile.samples {
        growing.samples.append(sample)
        if Int.random(in: 0...9, using: &random) == 0 {
          try writer.append(&growing)
          #expect(growing.samples.isEmpty)
        }
      }
      try writer.finish(growing)
      try writer.close()
      let read = try readRecording(path: path)
      #expect(contents(read.profile) == contents(profile), "seed \(seed)")
      #expect(read.isComplete && read.isSymbolized)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["r.qprof"])
    }
  }

  @Test func symbolsOfTheFirstReader() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      var profile = compilerLikeProfile(samples: 50, distinctStacks: 20, depth: 10, seed: 1)
      let writer = try RecordingWriter(path: path)
      try writer.append(&profile)
      try writer.close()
      var raw = try readRecording(path: path)
      #expect(!raw.isSymbolized && !raw.isComplete)
      symbolize(&raw.profile)
      try storeSymbols(path: path, profile: raw.profile)
      let read = try readRecording(path: path)
      #expect(read.isSymbolized && !read.isComplete)
      #expect(contents(read.profile) == contents(raw.profile))
      let leaf = try #require(read.profile.locations(of: read.profile.samples[0].stack).first)
      #expect(read.profile.frames(of: leaf)[0].name.count == 45)
    }
  }

  @Test func changedRowsAreRewritten() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      var builder = ProfileBuilder()
      let thread = builder.addThread(process: "sh", pid: 7, tid: 7, name: "sh")
      builder.add(["main"], weight: 1, thread: thread)
      let writer = try RecordingWriter(path: path)
      try writer.append(&builder.profile)
      builder.profile.threads[thread].name = builder.profile.strings.intern("renamed")
      builder.profile.processes[ID(0)].end = Nanoseconds(77)
      try writer.append(&builder.profile)
      try writer.close()
      let read = try readRecording(path: path).profile
      #expect(read.strings[read.threads[ID(0)].name] == "renamed")
      #expect(read.processes[ID(0)].end == Nanoseconds(77))
      #expect(read.samples.count == 1)
    }
  }

  @Test func messagesSayWhatToDo() {
    let path = "a.qprof"
    let expected: [(RecordingError, String)] = [
      (
        .noSuchFile(path: path),
        "there is no recording 'a.qprof'; check the path, or make one with 'qprof record'"
      ),
      (
        .noFolder(path: path),
        "'a.qprof' cannot be created, because its folder does not exist; create the folder, or "
          + "name another file with -o"
      ),
      (
        .noPermission(path: path),
        "the recording 'a.qprof' may not be opened; check the permissions of the file and its folder"
      ),
      (
        .alreadyExists(path: path),
        "'a.qprof' exists already and is not overwritten; remove it or name another file with -o"
      ),
      (
        .notARecording(path: path),
        "'a.qprof' is not a recording of qprof; record one with 'qprof record -o FILE'"
      ),
      (
        .damaged(path: path, rule: "stack 7: location 9 is none of the 3 that are possible here"),
        "the recording 'a.qprof' is damaged: stack 7: location 9 is none of the 3 that are possible "
          + "here; record again, or copy the file anew if it was transferred"
      ),
      (
        .busy(path: path),
        "the recording 'a.qprof' is locked by another process; try again when that has finished"
      ),
      (
        .failed(path: path, reason: "database or disk is full"),
        "the recording 'a.qprof' could not be read or written: database or disk is full; check the "
          + "disk and its free space"
      ),
    ]
    for (error, text) in expected { #expect("\(error)" == text) }
  }

  @Test func onlyTheOwnerMayRead() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      try RecordingWriter(path: path).close()
      var status = stat()
      #expect(stat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
    }
  }

  @Test func neverOverwrites() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
      #expect(throws: RecordingError.alreadyExists(path: path)) { try RecordingWriter(path: path) }
      let link = folder + "/link"
      try FileManager.default.createSymbolicLink(
        atPath: link, withDestinationPath: folder + "/nothing")
      #expect(throws: RecordingError.alreadyExists(path: link)) { try RecordingWriter(path: link) }
      #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
      #expect(!FileManager.default.fileExists(atPath: folder + "/nothing"))
    }
  }

  @Test func aMissingFolderIsSaid() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/none/r.qprof"
      #expect(throws: RecordingError.noFolder(path: path)) { try RecordingWriter(path: path) }
    }
  }

  /// A full disk, here a limit on the size of files: the samples wait for the next call.
  @Test func aFullDiskLosesNothing() async throws {
    try await #require(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        signal(SIGXFSZ, SIG_IGN)
        let path = folder + "/r.qprof"
        let writer = try RecordingWriter(path: path)
        var profile = compilerLikeProfile(samples: 9_000, distinctStacks: 500, depth: 15, seed: 2)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        var low = rlimit(rlim_cur: 100_000, rlim_max: limit.rlim_max)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &low)
        let refused = #expect(throws: RecordingError.self) { try writer.append(&profile) }
        guard case .failed? = refused else { exit(EXIT_FAILURE) }
        #expect(profile.samples.count == 9_000)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        try writer.append(&profile)
        try writer.close()
        let read = try readRecording(path: path).profile
        #expect(read.samples.count == 9_000)
      }
    }
  }

  @Test func sizes() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      var profile = compilerLikeProfile(
        samples: 10_000, distinctStacks: 2_000, depth: 39, seed: 3)
      // Of cc1plus: 39,056 nodes and 5,740 locations.
      try #require(profile.stacks.count > 39_000 && profile.locations.count > 5_700)
      let all = profile.samples
      let writer = try RecordingWriter(path: path)
      for start in stride(from: 0, to: all.count, by: 250) {
        profile.samples = Array(all[start..<min(start + 250, all.count)])
        try writer.append(&profile)
      }
      symbolize(&profile)
      try writer.finish(profile)
      try writer.close()
      let size = try #require(
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
      let table = try run(
        "sqlite3", [path, "SELECT sum(pgsize) FROM dbstat WHERE name = 'sample'"])
      let sampleTable = try #require(Int(table.output.dropLast()))
      #expect(sampleTable <= 20 * 10_000)
      #expect(size <= 75 * 10_000)
    }
  }
}
