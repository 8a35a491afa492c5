import CAgentWire
import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import Capture
@testable import HeapTracker

/// What a sampled profile says of a site, over many runs of a program whose sites are known.
struct SamplingTests {
  /// A site that allocates blocks of some sizes, one after the other.
  private struct Site {
    var sizes: [UInt64]
    var count: Int
    func size(_ index: Int) -> UInt64 { sizes[index % sizes.count] }
    var bytes: UInt64 { (0..<count).reduce(0) { $0 + size($1) } }
  }
  private static let interval: UInt64 = 4096
  /// From many small blocks to few that are always drawn.
  private static let sites = [
    Site(sizes: [16, 48, 64], count: 20_000),
    Site(sizes: [1000], count: 100),
    Site(sizes: [200, 8000, 300], count: 300),
    Site(sizes: [65_536], count: 20),
    Site(sizes: [32], count: 1200),  // about nine draws
  ]
  private static let runs = 200

  @Test func estimatesAreUnbiasedAndIntervalsCover() throws {
    let seed: UInt64 = 11
    var random = RepeatableRandom(seed: seed)
    var counts = [[Double]](repeating: [], count: Self.sites.count)
    var bytes = counts
    var covered = [(count: Int, bytes: Int)](repeating: (0, 0), count: Self.sites.count)
    let agent = try SyntheticAgent(.sample(interval: Bytes(Int64(Self.interval))))
    // Each run is a process of its own. What a site allocated and not freed is live.
    for run in 0..<Self.runs {
      let row = agent.startProcess(pid: Int32.max)  // gone when the recorder looks
      draw(agent.startThread(in: row), &random)
      agent.poll()
      let heap = agent.heap()
      let process = heap.processes[run].process
      for (index, site) in Self.sites.enumerated() {
        let found = heap.sites.first {
          $0.process == process && agent.number(of: $0.stack) == index
        }
        counts[index].append(Double(found?.allocated.count ?? 0))
        bytes[index].append(Double(found?.allocated.bytes ?? 0))
        guard let found else { continue }
        if found.countInterval95?.contains(Double(site.count)) == true { covered[index].count += 1 }
        if found.bytesInterval95?.contains(Double(site.bytes)) == true { covered[index].bytes += 1 }
      }
    }
    for (index, site) in Self.sites.enumerated() {
      let n = Double(Self.runs)
      let mean = (counts[index].reduce(0, +) / n, bytes[index].reduce(0, +) / n)
      // Within 2 %, or what chance allows (four standard errors) where that is more.
      #expect(abs(mean.0 / Double(site.count) - 1) < max(0.02, 4 * spread(counts[index])))
      #expect(abs(mean.1 / Double(site.bytes) - 1) < max(0.02, 4 * spread(bytes[index])))
      // Of 200 intervals 95 % cover: less than 180 has a chance below 0.002.
      #expect(covered[index].count >= 180, "site \(index), seed \(seed)")
      #expect(covered[index].bytes >= 180, "site \(index), seed \(seed)")
    }
    _ = agent.finish()
  }

  /// Relative standard error of the mean.
  private func spread(_ values: [Double]) -> Double {
    let n = Double(values.count)
    let mean = values.reduce(0, +) / n
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
    return (variance / n).squareRoot() / mean
  }

  /// Draws as the agent does: a Poisson process over the bytes.
  private func draw(_ thread: SyntheticThread, _ random: inout RepeatableRandom) {
    for index in Self.sites.indices { thread.tell(UInt64(index), [0x1000 + UInt64(index) * 16]) }
    var time: UInt64 = 1
    var distance = exponential(&random)
    for (index, site) in Self.sites.enumerated() {
      for block in 0..<site.count {
        let size = site.size(block)
        time += 1
        guard Double(size) > distance else {
          distance -= Double(size)
          continue
        }
        distance = exponential(&random)
        thread.allocate(time, 0x10_0000 + time * 16, size, stack: UInt64(index))
        thread.slot.pointee.allocations += 1
      }
    }
  }

  private func exponential(_ random: inout RepeatableRandom) -> Double {
    -Double(Self.interval) * log(Double.random(in: Double.ulpOfOne...1, using: &random))
  }

  @Test func weightsAreThoseOfHorvitzAndThompson() throws {
    let agent = try SyntheticAgent(.sample(interval: Bytes(1000)))
    agent.startProcess()
    let thread = agent.startThread()
    thread.tell(0, [0x1000])
    thread.allocate(10, 0xa000, 500)
    thread.allocate(20, 0xb000, 500)
    thread.freeLast()
    thread.allocate(30, 0xc000, 500)
    thread.free(40, 0xa000)
    thread.free(50, 0xc000)  // was it the next action? what was not drawn is not seen
    thread.slot.pointee.allocations = 100
    thread.slot.pointee.bytes = 60_000
    thread.slot.pointee.frees = 90
    agent.poll()
    let heap = agent.finish()
    let site = try #require(heap.sites.first)
    // p = 1 − e^(−1/2) = 0.393469; 1/p = 2.541494, 500/p = 1270.747.
    #expect(site.drawn == 3)
    #expect(site.allocated == HeapAmount(count: 8, bytes: 3 * 1271))
    #expect(site.freed == HeapAmount(count: 8, bytes: 3 * 1271))
    #expect(site.temporary == HeapAmount(count: 3, bytes: 1271))
    // 3 (1 − p)/p² = 11.753
    #expect(abs(site.countVariance - 11.7530) < 0.001)
    #expect(abs(site.bytesVariance - 11.7530 * 250_000) < 250)
    let process = heap.processes[0]
    #expect(process.allocated == HeapAmount(count: 100, bytes: 60_000))
    #expect(process.freed == HeapAmount(count: 90))
    #expect(heap.threads[0].allocated == process.allocated)
  }

  @Test func fewDrawsHaveGarwoodsInterval() {
    // Garwood 1936, 95 %: 1 event 0.0253–5.572, 10 events 4.795–18.390.
    for (draws, low, high) in [(1.0, 0.0253, 5.572), (10, 4.795, 18.390)] {
      let range = HeapSite.interval95(draws * 100, variance: draws * 10_000)
      #expect(abs(range.lowerBound / 100 - low) < 0.03)
      #expect(abs(range.upperBound / 100 - high) < 0.03)
    }
    #expect(HeapSite.interval95(50, variance: 0) == 50...50)
  }
}
