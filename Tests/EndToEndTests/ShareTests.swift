import Foundation
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Is the time where the profile says it is?
  @Suite struct ShareTests {
    /// Against the program's own thread clock, read around every call.
    @Test(arguments: 1...EndToEnd.runs) func functionsHaveTheirShare(run: Int) throws {
      let recorded = try Recorded.workload("split", "6")
      let truth = answers(recorded.result.output)
      for name in ["ten", "twenty", "thirty", "forty"] {
        let p = try #require(truth[name]) / 100
        let share = recorded.share(below: name)
        let allowed = tolerance(p, signals: recorded.effectiveSignals)
        #expect(abs(share - p) <= allowed, "run \(run), \(name): \(share) for \(p)")
        show("split \(run)", name, share, truth: p)
      }
    }

    @Test(arguments: 1...EndToEnd.runs) func equalThreadsHaveEqualWeight(run: Int) throws {
      let recorded = try Recorded.workload("threads", "4", "1.5")
      let truth = answers(recorded.result.output)
      let weights = recorded.weightByThread.filter { $0.name.hasPrefix("worker-") }
      try #require(weights.count == 4, "\(recorded.weightByThread)")
      let sum = Double(weights.reduce(0) { $0 + $1.weight })
      let total = (0..<4).reduce(0) { $0 + (truth["worker-\($1)"] ?? 0) }
      for (name, weight) in weights {
        let p = try #require(truth[name]) / total
        let error = 3 * (p * (1 - p) / recorded.effectiveSignals).squareRoot()
        #expect(abs(Double(weight) / sum - p) <= error, "run \(run), \(name): \(weight) of \(sum)")
        show("threads \(run)", name, Double(weight) / sum, truth: p)
      }
    }

    /// All weight is all CPU time: the kernel's account of the process, by another clock.
    @Test(arguments: [4, 8, 64]) func weightsAddUpToTheCPUTime(threads: Int) throws {
      let seconds = threads == 64 ? "0.06" : "0.5"
      let recorded = try Recorded.workload("threads", "\(threads)", seconds)
      let used = try #require(recorded.profile.provenance.cpuTime).seconds
      #expect(used > 1)
      #expect(recorded.profile.losses.isEmpty, "\(recorded.profile.losses)")
      #expect((0.97...1.03).contains(recorded.sampledSeconds / used), "of \(used) s")
      show("sum", "\(threads) threads", recorded.sampledSeconds / used, truth: 1)
    }

    /// A thread of a millisecond meets one tick in four. On a machine with other work the ticks miss
    /// more of them, so the best of three runs counts.
    @Test func shortThreadsAreSeen() throws {
      var best = 0.0
      for _ in 0..<3 where best < 0.8 {
        let recorded = try Recorded.workload("churn", "10000", "1")
        let used = try #require(answers(recorded.result.output)["threads"])
        best = max(best, recorded.sampledSeconds / used)
      }
      #expect(best >= 0.8)
      show("sum", "10,000 threads", best, truth: 1)
    }

    /// For whoever wants the numbers and not only that they hold.
    private func show(_ what: String, _ name: String, _ share: Double, truth: Double) {
      print(String(format: "%@, %@: %.2f %% (%.2f)", what, name, 100 * share, 100 * truth))
    }
  }
}
