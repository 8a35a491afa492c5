import FlameGraph
import ProfileModel
import TestSupport
import Testing

@Suite struct DifferenceTests {
  private func boxes(
    _ base: Profile, _ current: Profile, scalesBase: Bool = true
  ) throws -> ParsedSVG {
    var options = FlameGraphOptions()
    options.scalesBase = scalesBase
    return try ParsedSVG(
      DifferentialFlameGraph(base: base, current: current, options: options).svg())
  }

  @Test func removedStacksStayAndParentsAddUp() throws {
    // flamegraph.pl and inferno show no `c` at all, and +0.00 % on `a`.
    let base = profile("a;b 1000", "a;c 1000", "d 3000")
    let current = profile("a;b 3000", "a;c 0", "d 3000")
    let parsed = try boxes(base, current, scalesBase: false)
    let a = try #require(parsed.box("a"))
    #expect(
      a.tooltip[1...] == [
        "before 2,000 samples (40.0 %) → after 3,000 samples (50.0 %)", "+1,000 samples (+50 %)",
      ])
    #expect(a.label == "+ a")
    let c = try #require(parsed.box("c"))
    #expect(c.fills == [Palette.change(-1).hex, "url(#qprof-gone)"])
    #expect(c.tooltip[2] == "−1,000 samples (gone)")
    #expect(c.label == "− c")
    let b = try #require(parsed.box("b"))
    // In units of 1/256 sample; `a` has room for `b` now and `c` before.
    #expect(b.weight == 3000 * 256 && c.weight == 1000 * 256 && a.weight == 4000 * 256)
    #expect(b.fills == [Palette.change(1).hex])
    let d = try #require(parsed.box("d"))
    #expect(d.label == "d" && d.fills == [Palette.change(0).hex])
    #expect(d.tooltip[2] == "±0 samples (±0 %), within sampling noise")
  }

  @Test func whatWasBeforeIsScaledToTheSameTotalAndSaysSo() throws {
    let base = profile("a 1000", "b 1000")
    let current = profile("a 3000", "b 1000")
    let parsed = try boxes(base, current)
    #expect(
      parsed.all("text")[1].text
        == "before 2,000 samples → now 4,000 samples · before is scaled ×2.00 to the same total")
    let b = try #require(parsed.box("b"))
    #expect(b.tooltip[1] == "before 2,000 samples (50.0 %) → after 1,000 samples (25.0 %)")
    #expect(b.tooltip[2] == "−1,000 samples (−50 %)")
    let all = try #require(parsed.box("all"))
    #expect(all.tooltip[2].hasPrefix("±0 samples (±0 %)"))
    #expect(try boxes(base, base).all("text")[1].text.contains("scaled") == false)
    #expect(
      try boxes(base, current, scalesBase: false).all("text")[1].text.contains("scaled") == false)
  }

  @Test func onlyChangesBeyondChanceHaveAColour() {
    // The difference of counts of 100 and 129 deviates by sqrt(229) = 15.1; twice that is 30.3.
    func significant(_ before: Int, _ after: Int) -> Bool {
      FlameDifference(
        base: profile("a \(before)"), current: profile("a \(after)"), scalesBase: false
      ).isSignificant(1)
    }
    #expect(!significant(100, 129))
    #expect(significant(100, 132))
    #expect(significant(132, 100))
    #expect(!significant(0, 3))
    #expect(significant(0, 4))
    #expect(!significant(1000, 1000))
  }

  @Test func anEventOfAnImportedProfileIsItsPeriod() {
    // 100 → 132 samples of 10 ms, written as nanoseconds.
    func nanoseconds(_ samples: Int64) -> Profile {
      var result = profile("a \(samples * 10_000_000)")
      result.valueType = ValueType(kind: "cpu", unit: "nanoseconds")
      result.period = .cpu(Nanoseconds(10_000_000))
      return result
    }
    func difference(_ before: Int64, _ after: Int64) -> FlameDifference {
      FlameDifference(
        base: nanoseconds(before), current: nanoseconds(after), scalesBase: false)
    }
    #expect(!difference(100, 129).isSignificant(1))
    #expect(difference(100, 132).isSignificant(1))
  }

  @Test func timesOfDifferentPeriodsCompareAsTimes() {
    var base = profile("a 400", "b 400")
    base.period = .cpu(Nanoseconds(1_000_000))
    var current = profile("a 100", "b 50")
    current.period = .cpu(Nanoseconds(4_000_000))
    let difference = FlameDifference(base: base, current: current, scalesBase: false)
    #expect(difference.before(1) == 100 && difference.after(1) == 100)
    #expect(difference.before(2) == 100 && difference.after(2) == 50)
  }

  @Test(arguments: [21, 22, 23] as [UInt64])
  func widthsHoldBothSidesAndAllChildren(seed: UInt64) {
    let difference = FlameDifference(
      base: randomProfile(stacks: 300, functions: 6, depth: 7, seed: seed),
      current: randomProfile(stacks: 200, functions: 7, depth: 8, seed: seed + 100))
    let widths = difference.widths()
    for node in difference.tree.nodes.indices {
      let side = max(difference.before(Int32(node)), difference.after(Int32(node)))
      let children = difference.tree.children(of: Int32(node)).reduce(0) { $0 + widths[Int($1)] }
      let own = Int64((side * 256).rounded())
      #expect(widths[node] == max(own, children), "seed \(seed)")
    }
    #expect(abs(difference.before(0) - difference.after(0)) < 1e-6 * difference.after(0))
  }

  @Test func eitherSideMayBeEmpty() throws {
    let new = try boxes(Profile(), profile("a 100"))
    #expect(new.box("a")?.tooltip[2] == "+100 samples (new)")
    let gone = try boxes(profile("a 100"), Profile())
    #expect(gone.box("a")?.tooltip[2] == "−100 samples (gone)")
    #expect(try boxes(Profile(), Profile()).boxes.isEmpty)
  }

  @Test func lossesOfBothSidesAreSaid() throws {
    var base = profile("a 100")
    base.losses.add(.ringFull, events: 2, weight: 2)
    var current = ProfileBuilder()
    current.add(.signalBlocked, then: [], weight: 25)
    current.add(["a"], weight: 75)
    #expect(
      try boxes(base, current.profile).all("text")[2].text
        == "Incomplete before: 2 samples lost (ring full); Incomplete now: [signal blocked] 25.0 %")
  }
}
