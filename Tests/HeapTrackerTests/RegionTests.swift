import CAgentWire
import ProfileModel
import TestSupport
import Testing

@testable import Capture
@testable import HeapTracker

struct RegionTests {
  @Test func partsOfAMappingAreUnmapped() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    thread.tell(0, [0x1000])
    thread.tell(1, [0x2000])
    thread.region(QPROF_REGION_MAPPED, 10, 0x10_0000, 0x10000, stack: 0)
    thread.region(QPROF_REGION_UNMAPPED, 20, 0x10_4000, 0x1000)  // in the middle
    thread.allocate(25, 0x50_0000, 7)  // the peak of the heap
    thread.region(QPROF_REGION_UNMAPPED, 30, 0xf_f000, 0x2000)  // the first page
    thread.region(QPROF_REGION_MAPPED, 40, 0x10_f000, 0x1800, stack: 1)  // over the last page
    agent.poll()
    let heap = agent.heap()
    let mappings = heap.sites.filter { $0.kind == .mapping }
    #expect(mappings.count == 2)
    #expect(mappings[0].allocated == HeapAmount(count: 1, bytes: 0x10000))
    #expect(mappings[0].freed == HeapAmount(count: 0, bytes: 0x3000))
    #expect(mappings[0].atPeak == HeapAmount(count: 1, bytes: 0xf000))
    #expect(mappings[1].allocated == HeapAmount(count: 1, bytes: 0x2000))
    thread.region(QPROF_REGION_UNMAPPED, 50, 0x10_0000, 0x20_0000)
    agent.poll()
    let end = agent.finish()
    let ended = end.sites.filter { $0.kind == .mapping }
    #expect(ended.map(\.live) == [HeapAmount(), HeapAmount()])
    #expect(ended[0].freed == HeapAmount(count: 1, bytes: 0x10000))
    // Mappings are no part of the heap.
    #expect(end.processes[0].allocated == HeapAmount(count: 1, bytes: 7))
    #expect(end.processes[0].peak == HeapAmount(count: 1, bytes: 7))
  }

  @Test func theProgramBreakShrinksFromItsEnd() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    thread.tell(0, [0x1000])
    thread.tell(1, [0x2000])
    thread.region(QPROF_REGION_BREAK, 10, 0, 1000, stack: 0)
    thread.region(QPROF_REGION_BREAK, 11, 0, 500, stack: 1)
    thread.region(QPROF_REGION_BREAK, 12, 0, 500, stack: 1)
    thread.region(QPROF_REGION_BREAK, 20, 0, UInt64(bitPattern: -1200), stack: 0)
    agent.poll()
    let sites = agent.finish().sites
    #expect(sites.map(\.kind) == [.programBreak, .programBreak])
    #expect(sites[0].live == HeapAmount(count: 1, bytes: 800))
    #expect(sites[1].live == HeapAmount())
    #expect(sites[1].allocated == HeapAmount(count: 2, bytes: 1000))
  }

  @Test func mappingsOfThreadsAreTakenInTheirOrder() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let (a, b) = (agent.startThread(), agent.startThread())
    b.region(QPROF_REGION_UNMAPPED, 20, 0x10_0000, 0x1000)
    b.region(QPROF_REGION_MAPPED, 30, 0x10_0000, 0x1000)
    a.region(QPROF_REGION_MAPPED, 10, 0x10_0000, 0x1000)
    a.region(QPROF_REGION_UNMAPPED, 40, 0x10_0000, 0x1000)
    agent.poll()
    let sites = agent.finish().sites
    #expect(sites.map(\.allocated) == [HeapAmount(count: 2, bytes: 0x2000)])
    #expect(sites.map(\.freed) == [HeapAmount(count: 2, bytes: 0x2000)])
  }

  /// Against an array of pages.
  @Test(arguments: 0..<40) func rangesAreWhatPagesSay(seed: UInt64) {
    var random = RepeatableRandom(seed: seed)
    var ranges = MappedRanges()
    var pages = [UInt32?](repeating: nil, count: 64)
    var bytes: [UInt32: Int64] = [:]
    var mappings: [UInt32: Int64] = [:]
    for site in UInt32(1)...200 {
      let first = Int.random(in: 0..<64, using: &random)
      let count = Int.random(in: 1...(64 - first), using: &random)
      let (address, length) = (UInt64(first) * 4096, UInt64(count) * 4096)
      let isMapping = Bool.random(using: &random)
      let removals: [MappedRanges.Removal]
      if isMapping {
        let result = ranges.map(address, length, site: site)
        removals = result.removed
        bytes[site] = result.bytes
        mappings[site] = 1
      } else {
        removals = ranges.unmap(address, length)
      }
      for removal in removals {
        bytes[removal.site, default: 0] -= removal.bytes
        mappings[removal.site, default: 0] -= removal.calls
      }
      for page in first..<first + count { pages[page] = isMapping ? site : nil }
    }
    for site in UInt32(1)...200 {
      let expected = Int64(pages.count { $0 == site }) * 4096
      #expect(bytes[site, default: 0] == expected, "seed \(seed), site \(site)")
      #expect(mappings[site, default: 0] == (expected == 0 ? 0 : 1), "seed \(seed), site \(site)")
    }
    #expect(zip(ranges.ranges, ranges.ranges.dropFirst()).allSatisfy { $0.end <= $1.start })
  }
}
