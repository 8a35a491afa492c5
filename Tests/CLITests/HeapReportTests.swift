import Foundation
import ProfileModel
import TestSupport
import Testing

/// `qprof report` on heaps: exit codes, where its words go, and files of suppressions.
@Suite struct HeapReportTests {
  private let qprof: QprofProcess

  /// `base.qprof`, and `more.qprof` with one allocation more in each of 1,000 calls of `parse`.
  init() throws {
    qprof = try QprofProcess()
    try qprof.record(Self.heap(allocations: 1000), as: "base.qprof")
    try qprof.record(Self.heap(allocations: 2000), as: "more.qprof")
    try qprof.record(Self.heap(allocations: 1000, leaked: 3), as: "leak.qprof")
    try qprof.record(Self.heap(allocations: 1000, mode: .count), as: "count.qprof")
    try qprof.record(.small(), as: "cpu.qprof")
  }

  private static func heap(
    allocations: Int64, leaked: Int64 = 0, mode: HeapProfile.Mode = .full
  ) -> Profile {
    var builder = ProfileBuilder()
    let thread = builder.addThread(process: "server", pid: 7, tid: 7, name: "server")
    let image = builder.profile.threads[thread].process
    var heap = HeapProfile(mode: mode)
    var process = HeapProcess(process: image)
    process.allocated = HeapAmount(count: allocations, bytes: 16 * allocations)
    process.freed = HeapAmount(count: allocations - leaked, bytes: 16 * (allocations - leaked))
    process.peak = HeapAmount(count: 10, bytes: 160)
    heap.processes = [process]
    builder.profile.heap = heap
    if mode == .full {
      builder.addSite(
        ["main", "parse"], process: image, allocated: process.allocated, freed: process.freed,
        atPeak: process.peak)
    }
    builder.profile.provenance.command = ["./server"]
    return builder.profile
  }

  @Test func aGateThatPassesIsSilentOnStandardError() throws {
    let result = try qprof.run(
      "report", "base.qprof", "--diff", "base.qprof", "--fail-if", "allocs>+0", "--fail-if",
      "leaked>0")
    #expect(result.status == 0 && result.error.isEmpty, "\(result)")
    #expect(result.output.contains("passed  allocs>+0  1,000 allocations, 1,000 allocations"))
  }

  @Test func aGateThatFailsNamesTheSite() throws {
    let result = try qprof.run(
      "report", "more.qprof", "--diff", "base.qprof", "--fail-if", "allocs>+2%")
    #expect(result.status == 1 && result.error.isEmpty, "\(result)")
    #expect(result.output.contains("Why allocs>+2% failed"))
    #expect(result.output.contains("+1,000  1,000  2,000  more  parse"))
    // Where the report is for a program, people read it on standard error.
    let json = try qprof.run(
      "report", "more.qprof", "--diff", "base.qprof", "--fail-if", "allocs>+2%", "--json")
    #expect(json.status == 1)
    #expect(
      json.error
        == "qprof: failed: allocs>+2%: 2,000 allocations, 1,000 allocations in the base\n"
        + "  +1,000 allocations in parse\n")
  }

  @Test(
    arguments: [
      (["count.qprof", "--fail-if", "leaked>0"], 3, "does not know leaked"),
      (
        ["base.qprof", "--fail-if", "leaked>+0", "--diff", "count.qprof"], 3, "the base has totals"
      ),
      (["cpu.qprof", "--fail-if", "leaked>0"], 3, "'cpu.qprof' has no allocations"),
      (["base.qprof", "--diff", "cpu.qprof"], 3, "'cpu.qprof' has no allocations"),
      (["base.qprof", "--fail-if", "allocs>+2%"], 64, "character 8: this is about a base"),
      (["base.qprof", "--fail-if", "allocs=>2"], 64, "character 7: a comparison belongs here"),
      (["base.qprof", "--metric", "cpu", "--diff", "base.qprof"], 64, "about the heap"),
      (["base.qprof", "-o", "page.txt"], 64, "-o must end in .html"),
      (["cpu.qprof", "--metric", "leaked"], 65, "no allocations"),
      (["count.qprof", "--metric", "leaked"], 65, "--heap=count"),
      (["base.qprof", "--suppressions", "none.supp"], 66, "cannot read 'none.supp'"),
      (["base.qprof", "--suppressions", "bad.supp"], 65, "bad.supp: line 2: 'thread'"),
    ] as [([String], Int32, String)])
  func whatCannotBeAnsweredIsSaid(_ arguments: [String], _ status: Int32, _ words: String) throws {
    try qprof.write("# mine\nthread:parse\n", to: "bad.supp")
    let result = try qprof.shell(
      "qprof report " + arguments.map { "'\($0)'" }.joined(separator: " "))
    #expect(result.status == status, "\(result)")
    #expect((result.error + result.output).contains(words), "\(result)")
  }

  @Test func suppressedLeaksDoNotFail() throws {
    let fails = try qprof.run("report", "leak.qprof", "--fail-if", "leaked>0")
    #expect(fails.status == 1 && fails.output.contains("failed   leaked>0  48 B"), "\(fails)")
    try qprof.write("leak:^parse$\n", to: "mine.supp")
    let passes = try qprof.run(
      "report", "leak.qprof", "--fail-if", "leaked>0", "--suppressions", "mine.supp")
    #expect(passes.status == 0, "\(passes)")
    #expect(passes.output.contains("leaked    0 B in 0 blocks, and 48 B in 3 blocks suppressed"))
  }

  @Test func pagesAreWritten() throws {
    let result = try qprof.run("report", "base.qprof", "-o", "page.html")
    #expect(result.status == 0 && result.output.isEmpty, "\(result)")
    let page = try String(contentsOf: qprof.file("page.html"), encoding: .utf8)
    #expect(page.hasPrefix("<!DOCTYPE html>") && page.contains("parse"))
  }
}
