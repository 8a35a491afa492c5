import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

@Suite struct MetricTests {
  private let qprof: QprofProcess
  init() throws { qprof = try QprofProcess() }

  /// A heap of two sites and a mapping; with CPU samples at the first of them or without.
  private func heap(cpu: Bool = false, mode: HeapProfile.Mode = .full, kept: Int64 = 4096)
    -> Profile
  {
    var builder = ProfileBuilder()
    let thread = builder.addThread(process: "app", pid: 7, tid: 7, name: "app")
    let process = builder.profile.threads[thread].process
    builder.addSite(
      ["main", "make", "operator new(unsigned long)"], process: process,
      allocated: HeapAmount(count: 10, bytes: 1000), freed: HeapAmount(count: 10, bytes: 1000),
      atPeak: HeapAmount(count: 5, bytes: 500), temporary: HeapAmount(count: 3, bytes: 300))
    builder.addSite(
      ["main", "keep"], process: process, allocated: HeapAmount(count: 1, bytes: kept),
      atPeak: HeapAmount(count: 1, bytes: kept))
    builder.addSite(
      ["main", "map"], process: process, kind: .mapping,
      allocated: HeapAmount(count: 2, bytes: 8192))
    builder.profile.provenance.command = ["app"]
    builder.profile.heap?.mode = mode
    if mode == .count { builder.profile.heap?.sites = [] }
    if cpu {
      builder.add(["main", "work"], weight: 9, thread: thread, time: Nanoseconds(1))
      builder.profile.period = .cpu(Nanoseconds(4_000_000))
    }
    return builder.profile
  }

  private func folded(_ arguments: String...) throws -> String {
    let words = arguments.joined(separator: " ")
    return try qprof.shell("qprof export -f folded -o - \(words)").output
  }

  @Test func everyMetricOfAHeapRecording() throws {
    defer { qprof.remove() }
    try qprof.record(heap(), as: "h.qprof")
    let new = "main;make;operator new(unsigned long)"
    #expect(try folded("h.qprof --metric allocs") == "main;keep 1\n\(new) 10\n")
    #expect(try folded("h.qprof --metric bytes") == "main;keep 4096\n\(new) 1000\n")
    #expect(try folded("h.qprof --metric peak") == "main;keep 4096\n\(new) 500\n")
    #expect(try folded("h.qprof --metric leaked") == "main;keep 4096\n")
    #expect(try folded("h.qprof --metric temporary") == "\(new) 3\n")
    #expect(try folded("h.qprof") == folded("h.qprof --metric peak"))
    #expect(try folded("h.qprof --metric bytes --memory mappings") == "main;map 8192\n")
    #expect(
      try folded("h.qprof --metric allocs --hide-allocators") == "main;keep 1\nmain;make 10\n")
  }

  @Test func cpuIsTheDefaultWhereItWasRecorded() throws {
    defer { qprof.remove() }
    try qprof.record(heap(cpu: true), as: "both.qprof")
    #expect(try folded("both.qprof") == "main;work 9\n")
    #expect(try folded("both.qprof --metric cpu") == "main;work 9\n")
    #expect(try folded("both.qprof --metric leaked") == "main;keep 4096\n")
  }

  @Test func pprofFilesKeepAllValuesUnlessOneIsChosen() throws {
    defer { qprof.remove() }
    try qprof.record(heap(cpu: true), as: "both.qprof")
    _ = try qprof.run("export", "both.qprof", "-o", "all.pb.gz")
    #expect(try folded("all.pb.gz") == "main;work 9\n")
    #expect(try folded("all.pb.gz --metric leaked") == "main;keep 4096\n")
    #expect(try folded("all.pb.gz --metric allocs --hide-allocators").contains("main;make 10\n"))
    _ = try qprof.run("export", "both.qprof", "-o", "peak.pb.gz", "--metric", "peak")
    #expect(try folded("peak.pb.gz") == folded("both.qprof --metric peak"))
    let missing = try qprof.run("flame", "all.pb.gz", "-o", "x.svg", "--metric", "peak")
    #expect(missing.status == 65)
    #expect(missing.error.contains("'all.pb.gz' has no peak_space values; it has samples, cpu,"))
  }

  @Test func flameGraphsOfMemory() throws {
    defer { qprof.remove() }
    try qprof.record(heap(), as: "a.qprof")
    try qprof.record(heap(kept: 8192), as: "b.qprof")
    #expect(try qprof.run("flame", "a.qprof", "-o", "-").output.contains("app · memory at peak"))
    let difference = try qprof.run(
      "flame", "b.qprof", "-o", "-", "--diff", "a.qprof", "--metric", "bytes")
    #expect(difference.output.contains("what changed in allocated memory"))
    #expect(difference.output.contains("before 4.00 KiB (80.4 %) → after 8.00 KiB (89.1 %)"))
  }

  @Test func aDifferenceIsOfOneMetric() throws {
    defer { qprof.remove() }
    try qprof.record(heap(), as: "heap.qprof")
    try qprof.record(heap(cpu: true), as: "both.qprof")
    try qprof.record(.small(), as: "cpu.qprof")
    // The metric of the profile itself is looked for in the base too.
    let peaks = try qprof.run("flame", "heap.qprof", "-o", "-", "--diff", "both.qprof")
    #expect(peaks.output.contains("what changed in memory at peak"))
    let noHeap = try qprof.run("flame", "heap.qprof", "-o", "-", "--diff", "cpu.qprof")
    #expect(noHeap.status == 65 && noHeap.error.contains("no allocations in 'cpu.qprof'"))
    let noSamples = try qprof.run("flame", "cpu.qprof", "-o", "-", "--diff", "heap.qprof")
    #expect(noSamples.status == 65)
    #expect(noSamples.error.contains("'heap.qprof' has allocations only"))
  }

  @Test func metricsThatAreNotThere() throws {
    defer { qprof.remove() }
    try qprof.record(.small(), as: "cpu.qprof")
    try qprof.record(heap(), as: "heap.qprof")
    try qprof.record(heap(mode: .count), as: "count.qprof")
    try qprof.write("main;work 3\n", to: "a.folded")
    let cases: [(arguments: String, status: Int32, words: [String])] = [
      (
        "cpu.qprof --metric peak", 65,
        ["there are no allocations in 'cpu.qprof'", "qprof record --heap -- COMMAND"]
      ),
      ("a.folded --metric bytes", 65, ["there are no allocations in 'a.folded'"]),
      ("heap.qprof --metric cpu", 65, ["no samples of CPU time in 'heap.qprof'", "temporary"]),
      (
        "count.qprof --metric allocs", 65,
        ["'count.qprof' was recorded with --heap=count", "--metric allocs", "--heap=sample"]
      ),
      ("count.qprof", 65, ["--heap=count"]),
      ("heap.qprof --memory break", 65, ["no growth of the program break in 'heap.qprof'"]),
      ("cpu.qprof --memory mappings", 64, ["--memory is about allocations", "--metric"]),
      (
        "heap.qprof --metric size", 64,
        ["'size'", "cpu", "allocs", "bytes", "peak", "leaked", "temporary"]
      ),
    ]
    for (arguments, status, words) in cases {
      for command in ["flame -o x.svg", "export -o x.folded", "export -o x.pb.gz"] {
        let result = try qprof.shell("qprof \(command) \(arguments)")
        #expect(result.status == status, "\(command) \(arguments)")
        #expect(result.error.hasPrefix("qprof: "), "\(result.error)")
        for word in words { #expect(result.error.contains(word), "\(result.error)") }
      }
    }
    #expect(!FileManager.default.fileExists(atPath: qprof.file("x.svg").path))
  }
}
