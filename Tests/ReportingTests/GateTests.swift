import Foundation
import ProfileModel
import Testing

@testable import Reporting

@Suite struct GateTests {
  /// A heap of one site, in a process of one name.
  private func report(
    allocs: Int64 = 1000, bytes: Int64 = 64_000, live: Int64 = 0, mode: HeapProfile.Mode = .full,
    _ change: (inout HeapProcess) -> Void = { _ in }
  ) throws -> HeapReport {
    var builder = HeapBuilder(mode: mode)
    builder.addProcess("server", pid: 1)
    let stack = builder.stack(["main@main.c:1", "parse@json.c:120"])
    builder.add(stack, allocated: (allocs, bytes), freed: (allocs, bytes - live), atPeak: (10, 640))
    change(&builder.heap.processes[0])
    return try #require(HeapReport(builder.built, suppressions: Suppressions()))
  }

  private func verdict(_ text: String, _ report: HeapReport, base: HeapReport? = nil) throws
    -> Gate.Verdict
  {
    try Gate([try GateCondition(text)], report, base: base).verdict
  }

  @Test(arguments: [
    ("allocs>999", true), ("allocs>1000", false), ("allocs>=1000", true), ("allocs<1000", false),
    ("allocs<=1000", true), ("allocs==1000", true), ("allocs!=1000", false),
    ("allocs==999.5", false), ("allocs>999.5", true),
    ("bytes>62.5KiB", false), ("bytes>=62.5KiB", true), ("bytes>63999B", true),
    (" bytes >= 64000 B ", true), ("peak>640", false), ("peak<1KiB", true), ("peak<0.1GiB", true),
    ("leaked>0", false), ("temporary==0", true),
  ])
  func absolute(_ text: String, _ fails: Bool) throws {
    #expect(try verdict(text, report()) == (fails ? .failed : .passed))
  }

  /// Against a base of 50 allocations of 1,000 bytes each.
  @Test(
    arguments: [
      // 2 % of 50 is exactly 1.
      ("allocs>+2%", 51, false), ("allocs>+2%", 52, true), ("allocs>=+2%", 51, true),
      ("allocs>+1.99%", 51, true), ("allocs>+0", 50, false), ("allocs>+0", 51, true),
      ("allocs!=+0", 49, true), ("allocs<-2%", 49, false), ("allocs<-2%", 48, true),
      ("allocs>+3", 53, false), ("allocs>+3", 54, true), ("allocs<-1", 48, true),
      ("bytes>+1KiB", 51, false), ("bytes>+1KiB", 52, true),
    ] as [(String, Int64, Bool)])
  func relative(_ text: String, _ allocs: Int64, _ fails: Bool) throws {
    let base = try report(allocs: 50, bytes: 50_000)
    let current = try report(allocs: allocs, bytes: allocs * 1000)
    #expect(try verdict(text, current, base: base) == (fails ? .failed : .passed))
  }

  /// 2⁶² + 1 is no `Double`: only whole numbers tell it from 2⁶².
  @Test func comparesExactly() throws {
    let base = try report(bytes: 1 << 62)
    let current = try report(bytes: 1 << 62 + 1)
    #expect(try verdict("bytes>+0", current, base: base) == .failed)
    #expect(try verdict("bytes>+0%", current, base: base) == .failed)
    #expect(try verdict("bytes<+0.000000000001%", current, base: base) == .failed)
    #expect(try verdict("bytes>+0", base, base: base) == .passed)
  }

  @Test(
    arguments: [
      ("", 1, .noMetric(found: "the end")), ("rss>1", 1, .noMetric(found: "rss")),
      ("Allocs>1", 1, .noMetric(found: "Allocs")), (">1", 1, .noMetric(found: ">1")),
      ("allocs", 7, .noComparison(found: "the end")), ("allocs=>3", 7, .noComparison(found: "=>3")),
      ("allocs 3", 8, .noComparison(found: "3")), ("allocs>", 8, .noNumber(found: "the end")),
      ("allocs> x", 9, .noNumber(found: "x")), ("allocs>+", 8, .noNumber(found: "+")),
      ("allocs>++1", 8, .noNumber(found: "++1")), ("allocs>1.", 8, .noNumber(found: "1.")),
      ("allocs>.5", 8, .noNumber(found: ".5")), ("allocs>١", 8, .noNumber(found: "١")),
      ("allocs>1234567890123456", 8, .tooManyDigits), ("allocs>5%", 9, .percentOfNothing),
      ("bytes>1MB", 8, .unknownUnit(found: "MB")), ("bytes>1 2", 9, .unknownUnit(found: "2")),
      ("bytes>1e3", 8, .unknownUnit(found: "e3")), ("allocs>1KiB", 9, .noSizes(metric: "allocs")),
      ("temporary>1B", 12, .noSizes(metric: "temporary")),
    ] as [(String, Int, ReportingError.ConditionProblem)])
  func saysWhereItIsWrong(
    _ text: String, _ position: Int, _ problem: ReportingError.ConditionProblem
  ) {
    #expect(throws: ReportingError.condition(text, position: position, problem)) {
      try GateCondition(text)
    }
  }

  @Test func relativeConditionsNeedABase() throws {
    let problem = ReportingError.condition("allocs>+2%", position: 8, .noBase)
    #expect(throws: problem) { try verdict("allocs>+2%", report()) }
  }

  @Test func countsDoNotKnowWhatWasLive() throws {
    let counted = try report(mode: .count)
    #expect(try verdict("peak>1", counted) == .notMeasured)
    #expect(try verdict("leaked>0", counted) == .notMeasured)
    #expect(try verdict("temporary>0", counted) == .notMeasured)
    #expect(try verdict("allocs>0", counted) == .failed)
    #expect(try verdict("leaked>+0", report(), base: counted) == .notMeasured)
  }

  @Test func estimatesAreNotJudgedAsExact() throws {
    let sampled = try report(mode: .sample(interval: Bytes(512)))
    #expect(try verdict("peak>1", sampled) == .notMeasured)
    #expect(try verdict("bytes>1", sampled) == .failed)
    // Counted apart from the events that were lost.
    let lossy = try report(mode: .sample(interval: Bytes(512))) { $0.lost = 1 }
    #expect(try verdict("bytes>1", lossy) == .failed)
  }

  @Test func incompleteHeapsAreNotJudged() throws {
    #expect(try verdict("allocs>0", report { $0.lost = 1 }) == .notMeasured)
    #expect(try verdict("allocs>0", report { $0.untracked = "own malloc" }) == .notMeasured)
    // The base does not matter to what is not about it.
    #expect(try verdict("allocs>0", report(), base: report { $0.lost = 1 }) == .failed)
    #expect(try verdict("allocs>+0", report(), base: report { $0.lost = 1 }) == .notMeasured)
  }

  @Test func oneFailureFailsTheRun() throws {
    let counted = try report(mode: .count)
    let conditions = try ["leaked>0", "allocs>0", "allocs<0"].map { try GateCondition($0) }
    let gate = try Gate(conditions, counted, base: nil)
    #expect(gate.verdict == .failed)
    #expect(gate.outcomes.map(\.word) == ["not measured", "failed", "passed"])
  }
}
