import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// The target or the recorder is killed in the middle.
  @Suite struct DeathTests {
    private static let targetDeaths = max(3, EndToEnd.runs)

    /// SIGKILL leaves no time for a last word, and needs none: what the agent wrote is there.
    @Test(arguments: 1...targetDeaths) func aKilledTargetLosesNothing(run: Int) throws {
      var random = SystemRandomNumberGenerator()
      let life = Double.random(in: 0.3...2, using: &random)
      // The target kills itself after some CPU time: a busy machine gives it no fixed share.
      let recorded = try Recorded([try BuiltProducts.workload("exits"), "signal", "9", "\(life)"])
      #expect(recorded.result.ending == .killed(signal: SIGKILL))
      #expect(recorded.profile.provenance.exit == .signalled(SIGKILL))
      #expect(
        recorded.sampledSeconds >= 0.9 * (life - 0.1), "\(recorded.sampledSeconds) s of \(life) s")
    }

    /// Killed by another process while it works.
    @Test(arguments: 1...targetDeaths) func aTargetKilledFromOutside(run: Int) throws {
      var random = SystemRandomNumberGenerator()
      let wait = Double.random(in: 0.3...1.5, using: &random)
      // The shell stays out of the way: it notes the CPU time of the target, then kills it.
      let script = """
        "$0" 60 & target=$!
        sleep \(wait)
        kill -STOP $target
        awk '{ print "ticks", $14 + $15 }' /proc/$target/stat
        kill -KILL $target
        wait $target
        """
      let recorded = try Recorded(["bash", "-c", script, try BuiltProducts.workload("split")])
      let used = try #require(answers(recorded.result.output)["ticks"]) / 100
      let name = "split"
      let weight = recorded.weight { sample in
        recorded.image(sample).map { recorded.name(of: $0) == name } ?? false
      }
      let measured = Double(weight) * recorded.period
      #expect(measured >= 0.9 * (used - 0.1), "\(measured) s of \(used) s, after \(wait) s")
    }

    /// The target must not notice that its recorder is gone.
    @Test func aKilledRecorderHarmsNobody() throws {
      let scratch = try Scratch()
      let path = scratch("killed.qprof")
      let program = try BuiltProducts.workload("forks")
      let started = try StartedProgram([
        BuiltProducts.qprof, "record", "-o", path, "--", "bash", "-c",
        "\"$0\" 2; echo \"status $?\" > \"$1\"", program, scratch("status"),
      ])
      // Long enough for several transactions.
      Thread.sleep(forTimeInterval: 4.5)
      started.send(SIGKILL)
      let result = try started.wait()
      #expect(result.ending == .killed(signal: SIGKILL))
      let output = try waitFor(scratch("status"), then: { started.output })
      #expect(try String(contentsOfFile: scratch("status"), encoding: .utf8) == "status 0\n")
      #expect(answers(output)["parent"] != nil)
      #expect(output.split(separator: "\n").filter { $0.hasPrefix("child ") }.count == 4)

      let (profile, _, isComplete) = try readRecording(path: path)
      #expect(!isComplete)
      let last = try #require(profile.samples.map(\.time.seconds).max())
      #expect(last > 2, "the last sample is \(last) s after the start; killed after 4.5 s")
      // Whoever reads it first gives the names.
      let report = try runToEnd([BuiltProducts.qprof, "report", path])
      #expect(report.ending == .exited(0))
      #expect(report.output.contains("child_work"))
      #expect(report.error.contains("was killed"))
    }

    @Test func aKilledRecordersFolderIsSweptUp() throws {
      let scratch = try Scratch()
      let room = scratch("room")
      try FileManager.default.createDirectory(atPath: room, withIntermediateDirectories: false)
      func sessions() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: room)
      }
      let environment = ["XDG_RUNTIME_DIR": room]
      let started = try StartedProgram(
        [BuiltProducts.qprof, "record", "-o", scratch("a.qprof"), "--", "sleep", "1"],
        environment: environment)
      let limit = Date() + 60
      while try sessions().isEmpty, Date() < limit { usleep(10_000) }
      #expect(try sessions().count == 1)
      started.send(SIGKILL)
      _ = try started.wait()
      let after = try Recorded(["true"], environment: environment)
      #expect(after.result.ending == .exited(0))
      #expect(try sessions() == [])
    }

    /// Waits until the file at `path` is there.
    private func waitFor<T>(_ path: String, then result: () -> T) throws -> T {
      let limit = Date() + 120
      while !FileManager.default.fileExists(atPath: path) {
        try #require(Date() < limit, "the target did not go on to its end")
        usleep(50_000)
      }
      usleep(50_000)
      return result()
    }
  }
}
