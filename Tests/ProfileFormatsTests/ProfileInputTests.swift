import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

@Suite struct ProfileInputTests {
  private func problem(_ bytes: [UInt8]) -> ProfileFormatError.Problem? {
    do {
      _ = try readProfile(bytes: bytes)
      return nil
    } catch { return error.problem }
  }

  @Test func formatsAreKnownByContent() throws {
    let pprof = Pprof.encode(smallProfile)
    let raw = try Gzip.decompress(pprof, limit: Pprof.maximumSize)
    let folded = Array(Folded.encode(smallProfile).utf8)
    let perf = Array("a 1 1.0: cycles:\n\t 10 f (/a)\n".utf8)
    for (bytes, format) in [
      (pprof, ProfileFormat.pprof), (raw, .pprof), (folded, .folded),
      (Gzip.compress(folded), .folded), (Array("\nmain 1\n".utf8), .folded), (perf, .perfScript),
      (Gzip.compress(perf), .perfScript), (Array("junk\n".utf8) + folded, .folded),
    ] {
      #expect(try readProfile(bytes: bytes).format == format)
    }
    #expect(try readProfile(bytes: Array("junk\n".utf8) + folded).skipped.count == 1)
  }

  @Test func whatIsNoProfileIsSaid() {
    #expect(problem([]) == .empty)
    #expect(problem(Array("PERFILE2\u{1}\u{2}".utf8)) == .perfData)
    #expect(problem(Array("hello\nworld\n".utf8)) == .unknownFormat)
    #expect(problem(Array("\u{7f}ELF\u{2}\u{1}\u{1}\0\0\0".utf8)) == .unknownFormat)
    #expect(problem(Array("one 1\nno\nno\n".utf8)) == .unknownFormat)
    guard case .malformed(.pprof, at: .byte, rule: _)? = problem(Gzip.compress([1, 2, 3])) else {
      Issue.record("\(String(describing: problem(Gzip.compress([1, 2, 3]))))")
      return
    }
  }

  @Test func filesArePassedOnByContent() throws {
    try withTemporaryFolder { folder in
      let recording = folder + "/named.txt"
      let writer = try RecordingWriter(path: recording)
      var profile = smallProfile
      try writer.append(&profile)
      try writer.close()
      let input = try readProfile(path: recording)
      #expect(input.format == .recording)
      #expect(!input.isSymbolized && !input.isComplete)
      #expect(input.profile.samples == smallProfile.samples)

      let text = folder + "/named.qprof"
      try Data("a;b 3\n".utf8).write(to: URL(fileURLWithPath: text))
      #expect(try readProfile(path: text).format == .folded)
      let missing = folder + "/missing"
      #expect(throws: ProfileFormatError(.noSuchFile, path: missing)) {
        try readProfile(path: missing)
      }
      #expect(throws: ProfileFormatError.self) { try readProfile(path: folder) }
    }
  }

  @Test func messagesSayWhatToDo() {
    func text(_ problem: ProfileFormatError.Problem) -> String {
      "\(ProfileFormatError(problem, path: "x.bin"))"
    }
    #expect(
      text(.unknownFormat)
        == "'x.bin' is in no format that qprof reads; it reads qprof recording, pprof, "
        + "folded stacks, perf script text")
    #expect(text(.perfData).hasSuffix("perf script -i x.bin > perf.txt"))
    #expect(
      text(.malformed(.folded, at: .line(3), rule: "no number"))
        == "'x.bin' is not valid as folded stacks, line 3: no number; make or copy it anew")
    #expect(
      text(.recording(.tooNew(path: "x.bin", version: 7, supported: 1)))
        == "the recording 'x.bin' has format version 7, and this qprof reads versions up to 1; "
        + "upgrade qprof to open it")
  }

  /// Whatever a profile is turned into by broken bits, reading it ends, and what it yields can be
  /// used.
  @Test(arguments: 1...12)
  func flippedBitsOfAPprof(seed: Int) throws {
    var random = RepeatableRandom(seed: UInt64(seed))
    let raw = try Gzip.decompress(
      Pprof.encode(RandomProfile(seed: seed).profile), limit: Pprof.maximumSize)
    for _ in 0..<20 {
      var bytes = raw
      for _ in 0...Int.random(in: 0..<4, using: &random) {
        let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
        bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      }
      use(try? readProfile(bytes: bytes))
      use(
        try? readProfile(
          bytes: Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))))
      var packed = Gzip.compress(raw)
      let bit = Int.random(in: 0..<packed.count * 8, using: &random)
      packed[bit / 8] ^= 1 << UInt8(bit % 8)
      use(try? readProfile(bytes: packed))
    }
  }

  @Test(arguments: 1...10)
  func flippedBitsOfTexts(seed: Int) throws {
    var random = RepeatableRandom(seed: UInt64(seed))
    let folded = Folded.encode(RandomProfile(seed: seed).profile)
    let perf = "a b 1/2 [001] 1.5: 30 cycles:u:\n\t 10 f+0x1 (/a (x))\n\t 11 [unknown] ([u])\n\n"
    for text in [folded, perf] {
      for _ in 0..<40 {
        var bytes = Array(text.utf8)
        for _ in 0..<3 {
          let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
          bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        use(try? readProfile(bytes: bytes))
        use((try? PerfScript.decode(bytes))?.profile)
        use((try? Folded.decode(bytes))?.profile)
      }
    }
  }

  private func use(_ input: ProfileInput?) { use(input?.profile) }

  /// Touches all that a report touches; a profile that breaks a rule would stop the test here.
  private func use(_ profile: Profile?) {
    guard let profile else { return }
    #expect(throws: Never.self) { try profile.checkRules() }
    #expect(!Folded.encode(profile).contains("\0"))
    _ = Pprof.encode(profile)
  }
}
