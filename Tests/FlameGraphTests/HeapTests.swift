import FlameGraph
import ProfileModel
import TestSupport
import Testing

@Suite struct HeapTests {
  /// A heap of one process: 1 MiB at `main > load`, 512 KiB below `main > cache`.
  private func heap(
    mode: HeapProfile.Mode = .full, cached: Int64 = 524_288, name: String = "demo"
  ) -> Profile {
    var builder = ProfileBuilder()
    let thread = builder.addThread(process: name, pid: 7, tid: 7, name: name)
    let process = builder.profile.threads[thread].process
    builder.profile.provenance.command = [name, "--size", "4"]
    builder.profile.provenance.requestedRate = 1000
    builder.profile.provenance.effectiveRate = 250
    builder.addSite(
      ["main", "load"], process: process, allocated: HeapAmount(count: 4096, bytes: 2_097_152),
      freed: HeapAmount(count: 4096, bytes: 2_097_152),
      atPeak: HeapAmount(count: 2048, bytes: 1_048_576),
      temporary: HeapAmount(count: 1024, bytes: 1024))
    builder.addSite(
      ["main", "cache", "operator new(unsigned long)"], process: process,
      allocated: HeapAmount(count: 2, bytes: cached), atPeak: HeapAmount(count: 2, bytes: cached))
    builder.addSite(
      ["main", "map"], process: process, kind: .mapping,
      allocated: HeapAmount(count: 1, bytes: 1 << 30), atPeak: HeapAmount(count: 1, bytes: 1 << 30))
    var row = HeapProcess(process: process)
    row.peakTime = Nanoseconds(1_230_000_000)
    builder.profile.heap?.processes = [row]
    builder.profile.heap?.mode = mode
    return builder.profile
  }

  private func drawn(_ profile: Profile) throws -> ParsedSVG {
    try ParsedSVG(FlameGraph(profile).svg())
  }

  private func texts(_ profile: Profile) throws -> [String] {
    try drawn(profile).all("text").map(\.text)
  }

  @Test func memoryAtPeak() throws {
    let svg = FlameGraph(heap().view(of: .peak)).svg()
    let parsed = try ParsedSVG(svg)
    try golden(
      parsed.boxes.map { "\($0.name) \($0.x) \($0.weight) \($0.fills) \($0.tooltip)" }
        .joined(separator: "\n"), "heap-peak.txt")
    let texts = parsed.all("text").map(\.text)
    #expect(texts[0] == "demo · memory at peak")
    #expect(
      texts[1]
        == "demo --size 4 · 1.50 MiB · peak at 1.23 s · not shown: 1.00 GiB in mappings")
    let description = parsed.all("desc")[0].text.split(separator: "\n")
    #expect(
      description == [
        "command: demo --size 4", "peak at 1.23 s", "not shown: 1.00 GiB in mappings",
      ])
    // By hand: two thirds of 1.5 MiB.
    let load = try #require(parsed.box("load"))
    #expect(load.weight == 1_048_576)
    #expect(load.tooltip == ["load", "1.00 MiB (66.7 %)"])
  }

  @Test func everyMetricSaysWhatItCounts() throws {
    func headlines(_ metric: HeapMetric) throws -> [String] {
      Array(try texts(heap().view(of: metric)).prefix(2))
    }
    #expect(
      try headlines(.allocs) == ["demo · allocations", "demo --size 4 · 4,098 allocations"])
    #expect(
      try headlines(.bytes) == [
        "demo · allocated memory", "demo --size 4 · 2.50 MiB · not shown: 1.00 GiB in mappings",
      ])
    #expect(
      try headlines(.leaked) == [
        "demo · memory live at the end",
        "demo --size 4 · 512 KiB · not shown: 1.00 GiB in mappings",
      ])
    #expect(
      try headlines(.temporary)
        == ["demo · temporary allocations", "demo --size 4 · 1,024 temporary allocations"])
  }

  @Test func otherKindsOfMemoryAreNamed() throws {
    let texts = try texts(heap().view(of: .peak, kind: .mapping))
    #expect(texts[0] == "demo · memory at peak (mappings)")
    #expect(
      texts[1] == "demo --size 4 · 1.00 GiB · peak at 1.23 s · not shown: 1.50 MiB in blocks")
  }

  @Test func estimatesAreCalledThat() throws {
    let sampled = heap(mode: .sample(interval: Bytes(524_288)))
    #expect(
      try texts(sampled.view(of: .bytes))[1]
        == "demo --size 4 · 2.50 MiB · estimated from allocations drawn about every 512 KiB"
        + " · not shown: 1.00 GiB in mappings")
  }

  @Test func peaksOfSeveralProcessesAreNoMoment() throws {
    var profile = heap()
    var second = profile.processes[ID(0)]
    second.name = profile.strings.intern("child")
    let child = profile.processes.append(second)
    var site = try #require(profile.heap?.sites[0])
    site.process = child
    profile.heap?.sites.append(site)
    let parsed = try drawn(profile.view(of: .peak))
    #expect(parsed.all("text")[1].text.contains(" · 2 processes, each at its own peak · "))
    #expect(parsed.box("child")?.weight == 1_048_576)
    #expect(parsed.box("demo")?.weight == 1_572_864)
  }

  @Test func whatWasNotTrackedIsSaid() throws {
    var profile = heap()
    profile.heap?.sites = []
    profile.heap?.processes[0].lost = 1234
    profile.heap?.processes[0].untracked = "it defines malloc itself"
    let texts = try texts(profile.view(of: .peak))
    #expect(
      texts[2] == "Incomplete: 1,234 heap events lost; demo not tracked: it defines malloc itself")
    #expect(texts.contains("There is nothing to draw: no memory at peak."))
  }

  @Test func memoryIsGreen() {
    for module in ["", "/lib/libc.so.6", "/usr/bin/demo", "libcrypto.so.3"] {
      for name in ["main", "load", "std::vector<int>::reserve", "f"] {
        let frame = FlameFrame(kind: .code, name: name, module: module)
        let colour = Palette.fill(of: frame, .memory)
        #expect(colour.green > colour.red && colour.green >= colour.blue, "\(module) \(name)")
        #expect(Palette.fill(of: frame) == Palette.fill(of: frame, .time))
      }
    }
  }

  // MARK: - Differences

  @Test func exactAmountsThatDifferHaveChanged() throws {
    let (base, current) = (heap().view(of: .peak), heap(cached: 524_289).view(of: .peak))
    let difference = FlameDifference(base: base, current: current, scalesBase: false)
    #expect(difference.isExact)
    let graph = DifferentialFlameGraph(base: base, current: current)
    #expect(graph.difference.scale == 1, "amounts are compared, not shares")
    let parsed = try ParsedSVG(graph.svg())
    let texts = parsed.all("text").map(\.text)
    #expect(texts[0] == "demo · what changed in memory at peak")
    #expect(
      texts[1] == "demo --size 4 · before 1.50 MiB → now 1.50 MiB · compared by amount")
    #expect(texts.contains("did not change"))
    let cache = try #require(parsed.box("cache"))
    #expect(cache.label == "+ cache")
    #expect(cache.tooltip[2] == "+1 B (+0 %)")
    let load = try #require(parsed.box("load"))
    #expect(load.label == "load" && load.tooltip[2] == "±0 B (±0 %)")
  }

  @Test func estimatesThatDifferByChanceHaveNot() throws {
    // Of 4096 + 2 allocations with a variance of 100 each, the standard deviation is 640.
    func sampled(_ more: Int64) throws -> Profile {
      var profile = heap(mode: .sample(interval: Bytes(524_288)))
      profile.heap?.sites[0].allocated.count += more
      profile.heap?.sites[0].countVariance = 409_800
      return profile.view(of: .allocs)
    }
    // Twice the deviation of the difference is about 1,810.
    func difference(_ more: Int64) throws -> FlameDifference {
      FlameDifference(base: try sampled(0), current: try sampled(more), scalesBase: false)
    }
    #expect(try !difference(1_500).isExact)
    #expect(try !difference(1_500).isSignificant(0))
    #expect(try difference(2_500).isSignificant(0))
  }
}
