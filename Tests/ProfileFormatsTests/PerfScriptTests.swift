import Foundation
import ProfileModel
import Testing

@testable import ProfileFormats

@Suite struct PerfScriptTests {
  private func read(_ text: String) throws -> (profile: Profile, skipped: SkippedLines) {
    try PerfScript.decode(Array(text.utf8))
  }

  private func fixture(_ name: String) throws -> [UInt8] {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    return [UInt8](try Data(contentsOf: folder.appendingPathComponent("Fixtures/Perf/\(name)")))
  }

  /// The share of the weight whose stack has the function anywhere.
  private func share(of function: String, in profile: Profile) -> Double {
    let all = profile.samples.map(\.weight).reduce(0, +)
    let having = profile.samples.filter { sample in
      profile.locations(of: sample.stack).flatMap { profile.frames(of: $0) }
        .contains { $0.name == function }
    }
    return Double(having.map(\.weight).reduce(0, +)) / Double(all)
  }

  @Test func agreesWithPerfReport() throws {
    let (profile, skipped) = try PerfScript.decode(fixture("split-work.txt"))
    #expect(skipped.count == 0)
    #expect(profile.samples.count == 30)
    #expect(profile.period == .cpu(Nanoseconds(10_101_010)))
    for (function, percent) in [
      ("work", 100), ("heavy", 86.67), ("main", 86.67), ("light", 13.33), ("clone3", 13.33),
      ("__libc_start_main_impl", 86.67), ("__invoke<main()::<lambda()> >", 13.33),
    ] {
      #expect(abs(share(of: function, in: profile) * 100 - percent) < 0.01, "\(function)")
    }
    #expect(profile.processes.rows.map(\.pid) == [24333])
    let names = profile.threads.rows.map { "\(profile.strings[$0.name]) \($0.tid)" }
    #expect(Set(names) == ["helper one 24335", "split work 24333"])
    let paths = profile.mappings.rows.map { profile.strings[$0.path] }
    #expect(paths.contains("/home/dev/split work"))
    #expect(profile.samples.map(\.time.rawValue).min() == 0)
  }

  @Test func threadsOfOneSampleEach() throws {
    let (profile, skipped) = try read(
      """
      # ========
      a 1 b  7/8 [003]  12.000001:  250000 cpu-clock:pppH:
      \t    1208 work(int, char*)+0x1a (/tmp/x (deleted))
      \tffffffff8100 do_syscall_64+0x3 ([kernel.kallsyms])
      \t       9 [unknown] ([unknown])

               swapper     0 [000]    12.5: cycles:  7f00 foo (/lib/l.so)
      sh 9 13.25: 1 cpu-clock:
      """)
    #expect(skipped.count == 1)
    #expect(skipped.examples.map(\.number) == [7])
    #expect(profile.samples.count == 2)
    let first = profile.samples[0]
    let frames = profile.locations(of: first.stack).flatMap { profile.frames(of: $0) }
    #expect(frames.map(\.name) == ["work(int, char*)", "do_syscall_64", "0x9"])
    #expect(frames.map(\.module) == ["/tmp/x (deleted)", "[kernel.kallsyms]", ""])
    #expect(Set(profile.mappings.rows.map(\.kind)) == [.deleted, .file])
    let thread = try #require(first.thread.map { profile.threads[$0] })
    #expect(profile.strings[thread.name] == "a 1 b")
    #expect(thread.tid == 8)
    #expect(profile.samples[1].time == Nanoseconds(1_249_999_000))
    #expect(profile.samples[1].stack == nil)
  }

  @Test func frameOnTheLineOfTheHeader() throws {
    let (profile, skipped) = try read(
      """
                xz 22129  2335.915211:    5025125 cpu-clock:u:      7f15e2d90934 [unknown] (/l.so)
                xz 22129  2335.951207:    5025125 cpu-clock:u:      7f15e2d90934 lzma_a+0x4 (/m.so)
      """)
    #expect(skipped.count == 0)
    let names = profile.samples.map { sample in
      profile.locations(of: sample.stack).flatMap { profile.frames(of: $0) }.map(\.name)
    }
    #expect(names == [["l.so+0x7f15e2d90934"], ["lzma_a"]])
  }

  @Test func unequalPeriodsAreWeights() throws {
    let (profile, _) = try read(
      """
      a 1 1.0: 300 cycles:u:
      \t 10 f (/a)

      a 1 2.0: 500 cycles:u:
      \t 10 f (/a)

      """)
    #expect(profile.samples.map(\.weight) == [300, 500])
    #expect(profile.valueType == ValueType(kind: "cycles", unit: "count"))
    #expect(profile.period == nil)
  }

  @Test func withoutAPeriodSamplesAreCounted() throws {
    let (profile, _) = try read("a 1 1.0: cycles:\n\t 10 f (/a)\n\na 1 2.0:\n\t 10 f (/a)\n")
    #expect(profile.samples.map(\.weight) == [1])
    #expect(profile.valueType == .samplesCount)
    #expect(profile.period == nil)
  }

  @Test func badLinesAreCounted() throws {
    let (profile, skipped) = try read("noise\na 1 1.0: cycles:\n\t zz f (/a)\n\t 10 f (/a)\n")
    #expect(skipped.examples.map(\.text) == ["noise", "zz f (/a)"])
    #expect(profile.samples.count == 1)
    #expect(throws: ProfileFormatError.self) { try read("noise\n") }
  }
}
