import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import Reporting

@Suite struct HeapReportTests {
  private let everything = Report.Options(showsTree: true, showsThreads: true)

  private func example() throws -> Report {
    let suppressions = try Suppressions("leak:make_pool", source: "x")
    return Report(
      HeapBuilder.example().built, source: "server.qprof", options: everything,
      suppressions: suppressions)
  }

  private func object(_ report: Report) throws -> [String: Any] {
    let json = try JSONSerialization.jsonObject(with: report.json()) as? [String: Any]
    return try #require(json?["heap"] as? [String: Any])
  }

  @Test func goldenText() throws { try golden(ReportText(example()).text, "heap.txt") }

  @Test func goldenJSON() throws {
    try golden(String(decoding: example().json(), as: UTF8.self), "heap.json")
  }

  /// The sums of the table at ``HeapBuilder/example()``, by hand.
  @Test func numbersByHand() throws {
    let heap = try object(example())
    let metrics = try #require(heap["metrics"] as? [String: Int])
    // 1,000 + 100 + 100 + 2 + 1 + 7 + 30 allocations.
    #expect(metrics["allocs"] == 1240)
    #expect(metrics["bytes"] == 64_000 + 6_400 + 3_200 + 8_192 + 72_704 + 112 + 30_000)
    // The server's; the helper's 30,000 are at another time.
    #expect(metrics["peak"] == 57_600 + 8_192 + 72_704)
    // 10 × 64 of parse, the cache and 1,000 of the helper, without the pool.
    #expect(metrics["leaked"] == 640 + 8_192 + 1_000)
    #expect(metrics["temporary"] == 100)
    let totals = try #require(heap["totals"] as? [String: Any])
    #expect(totals["allocationsPerSecond"] as? Double == 620)
    let sites = try #require(heap["sites"] as? [String: [[String: Any]]])
    let first = try #require(sites["allocs"]?.first)
    #expect(first["value"] as? Int == 1100)
    #expect(first["paths"] as? Int == 2)
    #expect(try abs(#require(first["share"] as? Double) - 1100 / 1240) < 1e-12)
    let callers = try #require(first["callers"] as? [[String: Any]])
    #expect(callers.map { $0["name"] as? String } == ["parse", "load", "main"])
    #expect(callers[0]["file"] as? String == "/src/json.c" && callers[0]["line"] as? Int == 120)
  }

  /// Sites of each metric add up to its total.
  @Test func sitesAddUp() throws {
    let heap = try #require(example().heap)
    for metric in HeapMetric.allCases {
      let sum = heap.sites(by: metric).reduce(0) { $0 + $1.amounts.value(metric) }
      #expect(sum == heap.whole(metric), "\(metric)")
    }
  }

  @Test func residencyAddsUp() throws {
    let residency = try #require(example().heap?.largestResident?.heap.residency)
    #expect(residency.total == 3_800_000)
    #expect(residency.parts.reduce(0) { $0 + $1.bytes } == residency.total)
    let parts = Dictionary(uniqueKeysWithValues: residency.parts.map { ($0.part, $0.bytes) })
    #expect(parts[.agent] == Int64(462_144))
    #expect(parts[.allocator] == Int64(661_504))
  }

  /// Blocks that nobody wrote to are live and not resident.
  @Test func untouchedBlocksAreNotResident() {
    var residency = HeapResidency()
    residency.anonymous = Bytes(1_000)
    residency.heap = Bytes(5_000)
    #expect(residency.parts.map(\.part) == [.heap, .untouched])
    #expect(residency.parts.map(\.bytes) == [5_000, -4_000])
  }

  @Test func oneMetricShowsOneTable() {
    var options = everything
    options.metric = .leaked
    let report = Report(HeapBuilder.example().built, source: "x", options: options)
    let titles = ReportContent(report).sections.map(\.title)
    #expect(
      titles == [
        "Heap", "Sites by memory live at the end", "Call tree of memory live at the end",
      ])
  }

  /// A heap-only recording has no samples, and needs none.
  @Test func heapAloneDoesNotMissSamples() throws {
    let text = try ReportText(example()).text
    #expect(!text.contains("There are no samples") && !text.contains("samples "))
  }

  @Test func samplesComeFirst() {
    var profile = Profile.example()
    var heap = HeapProfile(mode: .full)
    var process = HeapProcess(process: ID(0))
    process.allocated = HeapAmount(count: 1, bytes: 8)
    heap.processes = [process]
    profile.heap = heap
    let titles = ReportContent(Report(profile, source: "x")).sections.map(\.title)
    #expect(titles.first == "Functions by self time" && titles.contains("Heap"))
  }

  @Test func countsHaveTotalsOnly() throws {
    var builder = HeapBuilder(mode: .count)
    builder.addProcess("server", pid: 1)
    builder.heap.processes[0].allocated = HeapAmount(count: 100, bytes: 6_400)
    builder.heap.processes[0].freed = HeapAmount(count: 90, bytes: 0)
    // What the recorder happened to see is of no meaning.
    builder.heap.processes[0].peak = HeapAmount(count: 1, bytes: 8)
    builder.heap.sites = [HeapSite(process: builder.processes[0], kind: .block, stack: nil)]
    builder.heap.sites[0].allocated = HeapAmount(count: 1, bytes: 8)
    let report = Report(builder.built, source: "x")
    let text = ReportText(report).text
    #expect(text.contains("Heap (counted)\n  allocated 100 blocks, 6.25 KiB\n"))
    #expect(text.contains("leaked    10 blocks\n"))
    #expect(
      !text.contains("Sites by") && !text.contains("peak  ")
        && text.contains("Only totals were recorded"))
    let metrics = try #require(object(report)["metrics"] as? [String: Int])
    #expect(Set(metrics.keys) == ["allocs", "bytes"])
  }

  /// σ² = 10⁶ bytes² of 100 blocks, 25 of them live: ± 1.96 · √(10⁶ / 4) = 980.
  @Test func estimatesHaveMargins() throws {
    var builder = HeapBuilder(mode: .sample(interval: Bytes(512 << 10)))
    builder.addProcess("server", pid: 1)
    builder.add(
      builder.stack(["main", "parse"]), allocated: (100, 400_000), freed: (75, 300_000), drawn: 9,
      variances: (0, 1e6))
    let report = Report(builder.built, source: "x")
    let sites = try #require(object(report)["sites"] as? [String: [[String: Any]]])
    let leak = try #require(sites["leaked"]?.first)
    #expect(leak["value"] as? Int == 100_000 && leak["drawn"] as? Int == 9)
    #expect(try abs(#require(leak["margin"] as? Double) - 979.982) < 0.001)
    let text = ReportText(report).text.split(whereSeparator: \.isWhitespace)
      .joined(separator: " ")
    #expect(text.contains("Heap (sampled every 512 KiB)"))
    #expect(text.contains("drawn about once in every 512 KiB"))
    #expect(text.contains("97.7 KiB 100.0 % 980 B 25 parse"))
    #expect(text.contains("leaked about 97.7 KiB in 25 blocks"))
  }
}

/// What a reader must know before believing the figures.
@Suite struct HeapAdviceTests {
  private func notes(_ change: (inout HeapProcess, inout Profile) -> Void) -> String {
    var builder = HeapBuilder()
    builder.addProcess("server", pid: 1)
    builder.add(builder.stack(["main"]), allocated: (100, 1_000), freed: (90, 900))
    change(&builder.heap.processes[0], &builder.profile)
    return Report(builder.built, source: "x").notes.joined(separator: "\n")
  }

  @Test func completeHeapsNeedNone() {
    #expect(notes { _, _ in }.isEmpty)
    // One in a hundred is the least worth a word.
    let share = { (truncated: Int64) in
      notes { process, _ in
        process.allocated.count = 1000
        process.truncated = truncated
      }
    }
    #expect(share(9).isEmpty && !share(10).isEmpty)
  }

  @Test func everyLossIsToldWithWhatToDo() {
    #expect(notes { process, _ in process.lost = 1 }.contains("1 event was lost"))
    #expect(notes { process, _ in process.reentrant = 2 }.contains("2 calls came from signal"))
    #expect(notes { process, _ in process.truncated = 7 }.contains("7.0 % of the allocations"))
    #expect(notes { process, _ in process.unknownFrees = 10 }.contains("10 frees (10.0 % of all)"))
    #expect(
      notes { process, _ in process.untracked = "server defines malloc itself" }
        .contains("server: server defines malloc itself. Its blocks are not tracked."))
    #expect(notes { _, profile in profile.provenance.exit = .signalled(9) }.contains("signal 9"))
    #expect(notes { _, profile in profile.provenance.exit = .leftRunning }.contains("still ran"))
  }
}
