import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import Reporting

@Suite struct HeapDifferenceTests {
  /// Two builds of one program: everything is at other addresses and lines.
  ///
  /// | site | base | now |
  /// |---|---|---|
  /// | parse, from load | 100 × 64 B | 1,100 × 64 B |
  /// | parse, from reload | 50 | 40 |
  /// | old_cache | 2 × 4 KiB | – |
  /// | new_cache | – | 3 × 4 KiB |
  /// | log, from a | 7 | 0 |
  /// | log, from b | 0 | 7 |
  /// | same | 5 | 5 |
  private func build(_ isBase: Bool, mode: HeapProfile.Mode = .full) -> Profile {
    var builder = HeapBuilder(mode: mode)
    builder.addProcess("server", pid: isBase ? 10 : 20)
    let (line, offset) = isBase ? (10, UInt64(0)) : (14, UInt64(1 << 30))
    func add(_ frames: [String], _ base: Int64, _ now: Int64, size: Int64) {
      let amount = isBase ? base : now
      guard amount > 0 else { return }
      let clone = isBase ? "" : " [clone .constprop.0]"
      let stack = builder.stack(
        ["main@main.c:\(line)"] + frames.map { "\($0)\(clone)@x.c:\(line)" }, offset: offset)
      builder.add(stack, allocated: (amount, amount * size), freed: (amount, amount * size))
    }
    add(["load", "parse"], 100, 1100, size: 64)
    add(["reload", "parse"], 50, 40, size: 64)
    add(["old_cache"], 2, 0, size: 4096)
    add(["new_cache"], 0, 3, size: 4096)
    add(["a", "log"], 7, 0, size: 10)
    add(["b", "log"], 0, 7, size: 10)
    add(["same"], 5, 5, size: 16)
    return builder.built
  }

  private func difference(_ base: Profile, _ current: Profile) throws -> HeapDifference {
    let reports = try [base, current].map {
      try #require(HeapReport($0, suppressions: Suppressions()))
    }
    return HeapDifference(
      base: (base, reports[0]), source: "base.qprof", current: (current, reports[1]))
  }

  @Test func matchesFunctionsWhereverTheyMoved() throws {
    let difference = try difference(build(true), build(false))
    let rows = difference.changes(of: .allocs).map {
      "\($0.site.function.name) \($0.change.rawValue) \($0.base) \($0.current)"
    }
    #expect(
      rows == [
        "parse more 150 1140", "new_cache new 0 3", "old_cache gone 2 0", "log moved 7 7",
      ])
  }

  @Test func namesTheStackThatChangedMost() throws {
    let difference = try difference(build(true), build(false))
    let rows = difference.changes(of: .allocs)
    let first = try #require(rows.first)
    let frames = difference.frames(first.callers)
    #expect(
      frames.map(\.name) == [
        "parse [clone .constprop.0]", "load [clone .constprop.0]", "main",
      ])
    #expect(frames.first?.line == 14)
    let gone = try #require(rows.first { $0.change == .gone })
    #expect(difference.frames(gone.callers).map(\.name) == ["old_cache", "main"])
  }

  @Test func equalProfilesDoNotDiffer() throws {
    let difference = try difference(build(true), build(true))
    for metric in HeapMetric.allCases { #expect(difference.changes(of: metric).isEmpty) }
  }

  @Test func codeWithoutSymbolsIsOfOneName() throws {
    func profile(_ name: String) -> Profile {
      var builder = HeapBuilder()
      builder.addProcess("server", pid: 1)
      builder.add(builder.stack(["main", name]), allocated: (3, 30))
      return builder.built
    }
    let known = try difference(profile("server+0x1234"), profile("server+0x5678"))
    #expect(known.changes(of: .allocs).isEmpty)
  }

  @Test func codeOutsideEveryFileIsOfOneName() {
    let names = ["0x7f12", "0x7f34"].map { SharedStacks.Function(name: $0, module: "") }
    #expect(names[0] == names[1])
    #expect(names[0] != SharedStacks.Function(name: "x", module: ""))
  }

  /// In a sampled profile a change of ±1.96 σ is no news: σ² = 400 + 500, so 58.8.
  @Test func chanceIsNoChange() throws {
    func profile(_ allocs: Int64, variance: Double) -> Profile {
      var builder = HeapBuilder(mode: .sample(interval: Bytes(512)))
      builder.addProcess("server", pid: 1)
      builder.add(
        builder.stack(["main", "parse"]), allocated: (allocs, allocs),
        variances: (variance, variance))
      return builder.built
    }
    let base = profile(1000, variance: 400)
    #expect(try difference(base, profile(1058, variance: 500)).changes(of: .allocs).isEmpty)
    #expect(try difference(base, profile(1059, variance: 500)).changes(of: .allocs).count == 1)
  }

  @Test func goldenText() throws {
    var report = Report(build(false), source: "now.qprof")
    try report.compare(
      build(false), with: build(true), source: "base.qprof", suppressions: Suppressions())
    try report.check(["allocs>+2%", "leaked>0"].map { try GateCondition($0) })
    try golden(ReportText(report).text, "difference.txt")
    try golden(String(decoding: report.json(), as: UTF8.self), "difference.json")
    #expect(
      report.gateMessages == [
        "failed: allocs>+2%: 1,155 allocations, 164 allocations in the base\n"
          + "  +990 allocations in parse [clone .constprop.0] at x.c:14"
      ])
  }
}
