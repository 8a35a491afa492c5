import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Children by every road, and programs that try to lose the profiler.
  @Suite struct ProcessTests {
    @Test func compilersAreProcessesWithTheirOwnShares() throws {
      let big = try BuiltProducts.workload("big.c")
      let recorded = try Recorded(
        ["sh", "-c", "for i in $(seq 3); do gcc -O2 -c \"$0\" -o /dev/null; done", big])
      #expect(recorded.result.ending == .exited(0), "\(recorded.result.error)")
      var weights: [String: Int64] = [:]
      for (image, weight) in recorded.weightByProcess {
        weights[recorded.name(of: image), default: 0] += weight
      }
      // Some are too quick for a tick, but all are known.
      let images = recorded.profile.processes.ids.map { recorded.name(of: $0) }
      for (name, count) in [("sh", 1), ("gcc", 3), ("cc1", 3), ("as", 3)] {
        #expect(images.filter { $0 == name }.count >= count, "\(images)")
      }
      let cc1 = Double(weights["cc1"] ?? 0) / Double(recorded.totalWeight)
      #expect(cc1 > 0.8, "\(weights)")
    }

    @Test func forkedChildrenHaveTheirOwnWeight() throws {
      let recorded = try Recorded.workload("forks", "0.5")
      let weights = recorded.weightByProcess
      #expect(weights.count == 5)
      expectEqual(Array(weights.values), seconds: 0.5, recorded)
      let parents = weights.keys.filter {
        recorded.share(below: "parent_work", of: $0) > recorded.share(below: "child_work", of: $0)
      }
      #expect(parents.count == 1)
      for image in weights.keys {
        let other = parents.contains(image) ? "child_work" : "parent_work"
        #expect(recorded.share(below: other, of: image) == 0)
      }
    }

    @Test func everyImageOfAnExecChainIsSeen() throws {
      let recorded = try Recorded.workload("execs", "3", "0.4")
      let images = recorded.weightByProcess
      #expect(images.count == 4)
      #expect(Set(images.keys.map { recorded.profile.processes[$0].pid }).count == 1)
      expectEqual(Array(images.values), seconds: 0.4, recorded)
      #expect(recorded.share(below: "image_work") > 0.97)
    }

    @Test func everyWayOfStartingAProgramIsFollowed() throws {
      let recorded = try Recorded.workload("spawns", "0.4")
      let images = recorded.weightByProcess.filter { $0.value > 10 }
      #expect(images.count == 4, "\(images)")
      expectEqual(Array(images.values), seconds: 0.4, recorded)
      #expect(recorded.share(below: "spawned_work") > 0.97)
    }

    @Test func closingEveryDescriptorHidesNothing() throws {
      let recorded = try Recorded.workload("closefds", "0.5")
      #expect(recorded.result.output == "parent unharmed child 0\n")
      #expect(recorded.weightByProcess.count == 2)
      expectEqual(Array(recorded.weightByProcess.values), seconds: 0.5, recorded)
      #expect(abs(recorded.share(below: "after_close") - 0.5) < 0.05)
      #expect(abs(recorded.share(below: "forked_work") - 0.5) < 0.05)
    }

    @Test func aDaemonIsFollowed() throws {
      let recorded = try Recorded.workload("daemon", "0.5")
      expectEqual([recorded.totalWeight], seconds: 0.5, recorded)
      #expect(recorded.share(below: "daemon_work") > 0.97)
    }

    /// Who attaches between two questions of a slowed recorder is not overlooked.
    @Test func daemonsOfManyRecordingsAreFollowed() throws {
      let scratch = try Scratch()
      let daemon = try BuiltProducts.workload("daemon")
      for round in 0..<4 {
        let paths = (0..<6).map { scratch("\(round)-\($0).qprof") }
        let started = try paths.map {
          try StartedProgram([BuiltProducts.qprof, "record", "-o", $0, "--", daemon, "0.1"])
        }
        for program in started { #expect(try program.wait().ending == .exited(0)) }
        for path in paths {
          let profile = try readRecording(path: path).profile
          #expect(!profile.samples.isEmpty)
        }
      }
    }

    /// A daemon does not keep the recording open for ever.
    @Test func aDaemonThatStaysIsCounted() throws {
      let recorded = try Recorded.workload("daemon", "3")
      #expect(recorded.profile.losses[.leftRunning].events == 1)
      #expect(recorded.profile.losses.processNames[.leftRunning] == ["daemon"])
      #expect(recorded.profile.provenance.exit == .exited(0))
      let report = try recorded.report()
      #expect(report.losses.contains { $0.reason == "left running" })
    }

    /// Each of `weights` is `seconds` of CPU time, within 5 % and one tick.
    private func expectEqual(
      _ weights: [Int64], seconds: Double, _ recorded: Recorded,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      for weight in weights {
        let measured = Double(weight) * recorded.period
        #expect(
          abs(measured - seconds) <= 0.05 * seconds + 0.004, sourceLocation: sourceLocation)
      }
    }
  }
}
