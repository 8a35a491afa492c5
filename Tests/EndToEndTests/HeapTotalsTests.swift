import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Programs of which every number is known.
  @Suite struct HeapTotalsTests {
    @Test(arguments: ["--heap", "--heap=full"]) func everyFigureIsExact(option: String) throws {
      let recorded = try Recorded(
        [try BuiltProducts.workload("heap_script")], options: [option])
      #expect(recorded.profile.heap?.mode == .full)
      recorded.expectTheAnswers(except: ["total", "mapping", "break"])
      try recorded.expectConsistency()
      let process = try recorded.heapProcess()
      #expect(process.allocated == HeapAmount(count: 1328, bytes: 1_050_988))
      #expect(process.freed == HeapAmount(count: 1318, bytes: 1_044_883))
      #expect(process.temporary == HeapAmount(count: 1005, bytes: 32_770))
      #expect(process.failed == 5)
      #expect(process.unknownFrees == 0)
      #expect(process.truncated == 0)
      #expect(recorded.profile.samples.isEmpty, "CPU samples that nobody asked for")
    }

    /// The ten leaks and the 50 blocks of `make_peak`, and nothing of `make_less`, which came near.
    @Test func thePeakIsExact() throws {
      let recorded = try Recorded.heap("heap_script")
      #expect(try recorded.heapProcess().peak == HeapAmount(count: 60, bytes: 506_105))
      let atPeak = recorded.sums(below: "make_peak").atPeak
      #expect(atPeak == HeapAmount(count: 50, bytes: 500_000))
      #expect(recorded.sums(below: "make_less").atPeak == HeapAmount())
      for number in 0..<10 {
        let sums = recorded.sums(below: "leak_\(number)")
        let size = Int64(number + 1) * 111
        #expect(sums.atPeak == HeapAmount(count: 1, bytes: size))
        #expect(sums.live == HeapAmount(count: 1, bytes: size))
      }
      let leaked = recorded.profile.heap?.sites.filter {
        $0.kind == .block && $0.live != HeapAmount()
      }
      #expect(leaked?.count == 10)
    }

    @Test func mappingsAreAKindOfTheirOwn() throws {
      let recorded = try Recorded.heap("heap_script")
      let page: Int64 = 4096
      let mappings = recorded.sums(below: "use_mappings", kind: .mapping)
      #expect(mappings.allocated == HeapAmount(count: 3, bytes: 9 * page + 1 << 20))
      #expect(mappings.freed == HeapAmount(count: 2, bytes: 9 * page))
      let programBreak = recorded.sums(below: "use_break", kind: .programBreak)
      #expect(programBreak.allocated == HeapAmount(count: 1, bytes: 2 * page))
      #expect(programBreak.freed == HeapAmount())
      // What malloc itself takes from the kernel is no mapping of the program's.
      #expect(recorded.sums(kind: .mapping) == mappings)
      #expect(recorded.sums(kind: .programBreak) == programBreak)
    }

    /// Buckets by powers of two: no size of the script is near a bound but those named.
    @Test func sizesAreCountedInTheirBuckets() throws {
      let sizes = try Recorded.heap("heap_script").heapProcess().sizes
      // malloc(0) and malloc(1).
      #expect(sizes.first == HeapAmount(count: 2, bytes: 1))
      // make_temporary's 1,000 and make_pairs' 100 blocks of 32 and 48, and the 50 of realloc.
      #expect(sizes.dropFirst(5).first == HeapAmount(count: 1101, bytes: 36_850))
      // 99 blocks of 10,000, and pvalloc's of 8,192.
      #expect(sizes.dropFirst(13).first == HeapAmount(count: 100, bytes: 998_192))
    }

    @Test(arguments: ["sample", "sample:4096", "count"])
    func totalsAreExactInEveryMode(mode: String) throws {
      let recorded = try Recorded.heap("heap_script", mode: mode)
      let process = try recorded.heapProcess()
      #expect(process.allocated == HeapAmount(count: 1328, bytes: 1_050_988))
      #expect(process.freed.count == 1318)
      #expect(process.failed == 5)
      switch mode {
      case "sample": #expect(recorded.profile.heap?.mode == .sample(interval: Bytes(512 << 10)))
      case "count": #expect(recorded.sums() == HeapSums())
      default:
        #expect(recorded.profile.heap?.mode == .sample(interval: Bytes(4096)))
        // Each of its 99 blocks is drawn with a chance of 91 %.
        #expect(recorded.sums(below: "make_many").allocated.count > 50)
      }
    }

    @Test func operatorsAreSeenThroughMalloc() throws {
      let recorded = try Recorded.heap("heap_script_cxx")
      recorded.expectTheAnswers()
      try recorded.expectConsistency()
      #expect(try recorded.heapProcess().failed == 1)
    }

    /// A block that another thread frees is not temporary, and is in the books of both.
    @Test func blocksMayBeHandedOver() throws {
      let recorded = try Recorded.heap("heap_handover")
      recorded.expectTheAnswers()
      try recorded.expectConsistency()
      let profile = recorded.profile
      let threads = try #require(profile.heap).threads
      func named(_ name: String) throws -> HeapThread {
        try #require(threads.first { profile.strings[profile.threads[$0.thread].name] == name })
      }
      #expect(try named("producer").allocated == HeapAmount(count: 10_000, bytes: 640_000))
      #expect(try named("producer").freed == HeapAmount())
      #expect(try named("consumer").allocated == HeapAmount())
      #expect(try named("consumer").freed == HeapAmount(count: 10_000, bytes: 640_000))
    }

    @Test func cpuTimeAndHeapInOneRun() throws {
      let recorded = try Recorded(
        [try BuiltProducts.workload("heap_signals"), "1"], options: ["--heap", "--cpu"])
      #expect(recorded.result.ending == .exited(0))
      let truth = answers(recorded.result.output)
      let blocks = recorded.sums(below: "main_block").allocated.count
      #expect(Double(blocks) == truth["main_block"])
      let used = try #require(recorded.profile.provenance.cpuTime).seconds
      #expect(recorded.sampledSeconds > 0.9 * used, "\(recorded.sampledSeconds) s of \(used) s")
      #expect(recorded.share(below: "main") > 0.9)
    }
  }
}
