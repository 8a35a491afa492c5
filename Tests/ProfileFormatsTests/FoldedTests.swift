import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

@Suite struct FoldedTests {
  private func fold(_ text: String) throws -> (profile: Profile, skipped: SkippedLines) {
    try Folded.decode(Array(text.utf8))
  }

  /// `outer;inner weight` for each sample, through the model only.
  private func stacks(_ profile: Profile) -> [String] {
    profile.samples.map { sample in
      let frames = profile.locations(of: sample.stack).reversed()
        .flatMap { profile.frames(of: $0).reversed() }.map(\.name)
      return "\(frames.joined(separator: "|")) \(sample.weight)"
    }
  }

  @Test func writesMergedSortedLines() {
    var builder = ProfileBuilder()
    builder.add(["main", "b"], weight: 2)
    builder.add(["main", "a"], weight: 1)
    builder.add(["main", "b"], weight: 5)
    builder.add(["main"], weight: 4)
    builder.add(["main", "never"], weight: 0)
    builder.profile.samples.append(
      Sample(time: Nanoseconds(0), thread: nil, stack: nil, weight: 3))
    #expect(
      Folded.encode(builder.profile) == """
        [unknown] 3
        main 4
        main;a 1
        main;b 7

        """)
  }

  @Test func processesComeFirstWhenThereAreSeveral() {
    var builder = ProfileBuilder()
    let first = builder.addThread(process: "sh", pid: 1, tid: 1, name: "sh")
    builder.add(["main"], weight: 1, thread: first)
    #expect(Folded.encode(builder.profile) == "main 1\n")
    let second = builder.addThread(process: "cc1", pid: 2, tid: 2, name: "cc1")
    builder.add(["main"], weight: 2, thread: second)
    #expect(Folded.encode(builder.profile) == "cc1;main 2\nsh;main 1\n")
  }

  @Test func inlinedFunctionsAreFrames() {
    var profile = compilerLikeProfile(samples: 1, distinctStacks: 1, depth: 5, seed: 1)
    #expect(
      Folded.encode(profile).hasPrefix("cc1plus+0x410000;cc1plus+0x"), "bare addresses at first")
    symbolize(&profile)
    // Location 0, the root, has the function of number 1 inlined into that of number 0.
    let tail = String(repeating: "n", count: 40)
    #expect(Folded.encode(profile).hasPrefix("10000\(tail);10001\(tail);"))
  }

  @Test func namesCannotBreakALine() throws {
    var builder = ProfileBuilder()
    builder.add(["a;b", "c\nd 9", "\u{1b}[0m\u{7f}", "x\r\ny", ""], weight: 1)
    builder.add(["#not a comment"], weight: 2)
    builder.add(["//anon"], weight: 3)
    builder.add([" blank"], weight: 4)
    let text = Folded.encode(builder.profile)
    #expect(
      text == """
        \\x20blank 4
        \\x23not a comment 2
        \\x2f/anon 3
        a:b;c\\x0ad 9;\\x1b[0m\\x7f;x\\x0d\\x0ay;[unknown] 1

        """)
    #expect(try Folded.encode(fold(text).profile) == text)
  }

  @Test(arguments: 1...30)
  func roundTrip(seed: Int) throws {
    let text = Folded.encode(RandomProfile(seed: seed, samples: 200).profile)
    let read = try fold(text)
    #expect(Folded.encode(read.profile) == text, "seed \(seed)")
    #expect(read.skipped.count == 0)
  }

  @Test func golden() throws {
    let text = Folded.encode(smallProfile)
    // The weights of smallProfile: 3 + 2 + 4 + 1.
    let weights = text.split(separator: "\n").compactMap { $0.split(separator: " ").last }
    #expect(weights.compactMap { Int($0) }.reduce(0, +) == 10)
    try TestSupport.golden(text, "small.folded")
  }

  @Test func readsWhatOtherToolsWrite() throws {
    let read = try fold(
      """
      # a comment
      // another
      main;foo 2\r
      main;bar baz\t3

        main;core::[u8; 4]::f;<A as B<[T; 2]>>::g 1
      main;operator<;x 4
      main;a;;b 5
      """)
    #expect(
      stacks(read.profile) == [
        "main|foo 2", "main|bar baz 3", "main|core::[u8; 4]::f|<A as B<[T; 2]>>::g 1",
        "main|operator<|x 4", "main|a|[unknown]|b 5",
      ])
    #expect(read.skipped.count == 0)
  }

  @Test func sharedBeginningDoesNotHideABracket() throws {
    let read = try fold("a;[u8;b 1\na;[u8; b 2\na;[u8;b;c 3\n")
    #expect(stacks(read.profile) == ["a|[u8|b 1", "a|[u8; b 2", "a|[u8|b|c 3"])
  }

  @Test func countsBadLinesAndShowsThree() throws {
    let read = try fold("main 1\nno count\n17\nmain -3\nmain inf\n\nmain 2\n")
    #expect(read.skipped.count == 4)
    #expect(read.skipped.examples.map(\.number) == [2, 3, 4])
    #expect(read.skipped.examples.map(\.text) == ["no count", "17", "main -3"])
    #expect(read.profile.samples.map(\.weight) == [1, 2])
  }

  @Test func fractionsAreKept() throws {
    let read = try fold("a 1.25\nb 3\nc 1e2\n")
    #expect(read.profile.samples.map(\.weight) == [125, 300, 10_000])
    #expect(read.profile.valueType == ValueType(kind: "samples", unit: "1/100 count"))
  }

  @Test func largeWholeNumbersAreExact() throws {
    let read = try fold("a 9007199254740993\n")
    #expect(read.profile.samples[0].weight == 9_007_199_254_740_993)
  }

  @Test func marksAndEncodings() throws {
    let text = "main;ü 5\n"
    let units = Array(text.utf16)
    let littleEndian = units.map { [UInt8($0 & 0xff), UInt8($0 >> 8)] }.joined()
    let bigEndian = units.map { [UInt8($0 >> 8), UInt8($0 & 0xff)] }.joined()
    let inputs: [[UInt8]] = [
      [0xef, 0xbb, 0xbf] + text.utf8, [0xff, 0xfe] + littleEndian, [0xfe, 0xff] + bigEndian,
    ]
    for bytes in inputs {
      #expect(stacks(try Folded.decode(bytes).profile) == ["main|ü 5"])
    }
    let invalid = Array("a".utf8) + [0xff, 0xc3] + Array("ü;b 1\n".utf8)
    #expect(stacks(try Folded.decode(invalid).profile) == ["a\\xff\\xc3ü|b 1"])
  }

  @Test func markersAreKnownByName() throws {
    let profile = try fold("[truncated: stack capped];f 1\n").profile
    let root = try #require(profile.locations(of: profile.samples[0].stack).last)
    #expect(profile.locations[root].place == .marker(.stackCapped))
  }

  @Test func nothingToReadIsAnError() throws {
    #expect(
      throws: ProfileFormatError(
        .malformed(.folded, at: .line(2), rule: "no line is a stack followed by a number"))
    ) { try fold("# only\nwords here\n") }
    #expect(throws: ProfileFormatError.self) {
      try fold("a 9223372036854775807\nb 9223372036854775807\n")
    }
  }
}
