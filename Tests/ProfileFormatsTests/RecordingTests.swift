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

  @Test func sizes() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.qprof"
      var profile = compilerLikeProfile(
        samples: 10_000, distinctStacks: 2_000, depth: 23, seed: 3)
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
      #expect(size <= 80 * 10_000)
    }
  }
}
