import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

/// A recorder may die at any moment; all but its last transaction must survive.
@Suite(.serialized) struct KilledRecorderTests {
  /// A copy of file and journal made while a transaction has written half of its pages.
  private func interrupted(in folder: String) throws -> (path: String, before: [String]) {
    let live = folder + "/live.qprof"
    let writer = try RecordingWriter(path: live)
    var profile = compilerLikeProfile(samples: 2_000, distinctStacks: 200, depth: 15, seed: 8)
    try writer.append(&profile)
    try writer.close()
    let before = try contents(readRecording(path: live).profile)

    let path = folder + "/killed.qprof"
    // With a cache of ten pages SQLite must write to the file long before the end.
    let script = """
      PRAGMA cache_size = 10;
      BEGIN;
      UPDATE sample SET weight = 77;
      UPDATE stack SET locations = zeroblob(length(locations));
      .shell cp \(live) \(path)
      .shell cp \(live)-journal \(path)-journal
      ROLLBACK;
      """
    let commands = folder + "/commands"
    try Data(script.utf8).write(to: URL(fileURLWithPath: commands))
    #expect(try run("sqlite3", [live, ".read \(commands)"]).status == 0)
    let (old, new) = (
      try Data(contentsOf: URL(fileURLWithPath: live)),
      try Data(contentsOf: URL(fileURLWithPath: path))
    )
    try #require(old != new, "the interrupted transaction must have reached the file")
    return (path, before)
  }

  @Test func halfATransactionIsUndone() throws {
    try withTemporaryFolder { folder in
      let (path, before) = try interrupted(in: folder)
      #expect(try contents(readRecording(path: path).profile) == before)
      #expect(!FileManager.default.fileExists(atPath: path + "-journal"))
      #expect(try contents(readRecording(path: path).profile) == before)
    }
  }

  /// Root may write anywhere, so the copying is called by itself.
  @Test func aCopyIsRepairedWhereTheFileMayNotBeWritten() throws {
    try withTemporaryFolder { folder in
      let (path, before) = try interrupted(in: folder)
      let broken = try Data(contentsOf: URL(fileURLWithPath: path))
      let read = try withCopy(of: path) { try readRecording(path: $0) }
      #expect(contents(read.profile) == before)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == broken)
      #expect(FileManager.default.fileExists(atPath: path + "-journal"))
    }
  }

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
      var profile = compilerLikeProfile(samples: 3_000, distinctStacks: 300, depth: 15, seed: 2)
      let samples = profile.samples
      let writer = try RecordingWriter(path: path)
      let done = open(path + ".done", O_CREAT | O_WRONLY | O_APPEND, 0o600)
      Thread.detachNewThread {
        usleep(microseconds)
        kill(getpid(), SIGKILL)
      }
      while true {
        profile.samples = samples
        try writer.append(&profile)
        write(done, "x", 1)
      }
    }
    let acknowledged = try Data(contentsOf: URL(fileURLWithPath: path + ".done")).count
    let read = try readRecording(path: path)
    let appends = read.profile.samples.count / 3_000
    #expect(read.profile.samples.count == appends * 3_000, "seed \(seed)")
    #expect(appends == acknowledged || appends == acknowledged + 1, "seed \(seed)")
    #expect(!read.isComplete && !read.isSymbolized)
  }

  /// Two that write ids of their own choice would break the file for the one that comes second.
  @Test func nobodyStoresSymbolsUnderALiveWriter() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      let writer = try RecordingWriter(path: path)
      var profile = compilerLikeProfile(samples: 50, distinctStacks: 20, depth: 10, seed: 1)
      try writer.append(&profile)
      #expect(isBeingRecorded(path: path))
      let input = try readProfile(path: path)
      #expect(input.isBeingRecorded && !input.isComplete)
      var symbolized = input.profile
      symbolize(&symbolized)
      #expect(throws: RecordingError.busy(path: path)) {
        try storeSymbols(path: path, profile: symbolized)
      }
      profile.strings = symbolized.strings
      try writer.append(&profile)
      try writer.close()
      #expect(!isBeingRecorded(path: path))
      #expect(try !readProfile(path: path).isBeingRecorded)
      try storeSymbols(path: path, profile: symbolized)
      #expect(try readRecording(path: path).isSymbolized)
    }
  }

  /// A reader that keeps the file locked makes the writer wait for its next turn, not lose samples.
  @Test func aReaderDelaysTheWriter() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      let writer = try RecordingWriter(path: path)
      var profile = smallProfile
      try writer.append(&profile)
      profile.samples = smallProfile.samples

      let reader = Process()
      reader.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      reader.arguments = ["sqlite3", path]
      let (input, output) = (Pipe(), Pipe())
      reader.standardInput = input
      reader.standardOutput = output
      try reader.run()
      input.fileHandleForWriting.write(Data("BEGIN; SELECT count(*) FROM sample;\n".utf8))
      #expect(output.fileHandleForReading.readData(ofLength: 2) == Data("4\n".utf8))
      try writer.append(&profile)
      #expect(profile.samples == smallProfile.samples)
      input.fileHandleForWriting.write(Data("COMMIT;\n".utf8))
      try input.fileHandleForWriting.close()
      reader.waitUntilExit()

      try writer.append(&profile)
      #expect(profile.samples.isEmpty)
      try writer.close()
      #expect(try readRecording(path: path).profile.samples.count == 8)
    }
  }
}
