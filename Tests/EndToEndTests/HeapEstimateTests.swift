import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// One allocation in many is drawn, and the rest is estimated from those.
  @Suite struct HeapEstimateTests {
    private static let sites = ["small_block", "middle_block", "large_block"]

    /// 200 processes of 200 draws at each of three sites: the mean has a standard error of half a
    /// percent. Were a child to go on with its parent's random numbers, all would err together.
    @Test func estimatesAreUnbiasedAndSayHowFarTheyMayBeOff() throws {
      let recorded = try Recorded.heap("heap_estimates", mode: "sample:4096")
      let heap = try #require(recorded.profile.heap)
      let children = heap.processes.filter { $0.allocated.count > 8000 }
      #expect(children.count == 200)
      #expect(Set(children.map(\.allocated)) == [HeapAmount(count: 8440, bytes: 2_400_000)])
      #expect(Set(children.map(\.freed.count)) == [4220])
      var covered = 0
      for name in Self.sites {
        let truth = try truth(of: name, in: recorded.result.output)
        let estimates = try children.map { try estimate(of: name, in: $0, recorded) }
        for (what, path, expected) in [
          ("allocated blocks", \HeapSite.allocated.count, truth[0]),
          ("allocated bytes", \.allocated.bytes, truth[1]),
          ("freed bytes", \.freed.bytes, truth[3]),
        ] {
          let mean = estimates.reduce(0) { $0 + Double($1[keyPath: path]) } / 200
          #expect(abs(mean / expected - 1) < 0.02, "\(name): \(what) \(mean), not \(expected)")
        }
        if name == "small_block" {
          #expect(Set(estimates.map(\.drawn)).count > 10, "the children draw alike")
        }
        covered += estimates.count {
          abs(Double($0.allocated.bytes) - truth[1]) <= 1.96 * $0.bytesVariance.squareRoot()
        }
      }
      // 95 % of 600, four standard errors to each side.
      #expect((548...592).contains(covered), "\(covered) of 600 intervals hold the truth")
    }

    private func truth(of name: String, in output: String) throws -> [Double] {
      let line = try #require(output.split(separator: "\n").first { $0.hasPrefix(name) })
      return line.split(separator: " ").dropFirst().compactMap { Double($0) }
    }

    /// All sites of the function in one site.
    private func estimate(
      of name: String, in process: HeapProcess, _ recorded: Recorded
    ) throws -> HeapSite {
      let sites = recorded.profile.heap?.sites.filter {
        $0.process == process.process && recorded.names($0).contains(name)
      }
      var sum = try #require(sites?.first)
      for site in sites?.dropFirst() ?? [] {
        sum.allocated += site.allocated
        sum.freed += site.freed
        sum.drawn += site.drawn
        sum.countVariance += site.countVariance
        sum.bytesVariance += site.bytesVariance
      }
      return sum
    }
  }
}
