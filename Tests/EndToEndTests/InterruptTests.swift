import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Signals for the recorder end the target, and the recording is written nevertheless.
  @Suite struct InterruptTests {
    @Test(arguments: [
      (SIGINT, true), (SIGINT, false), (SIGTERM, false), (SIGHUP, false), (SIGQUIT, false),
    ])
    func theRecordingIsKept(signal: Int32, toGroup: Bool) throws {
      let scratch = try Scratch()
      let path = scratch("a.qprof")
      let started = try StartedProgram(
        [BuiltProducts.qprof, "record", "-o", path, "--"]
          + [try BuiltProducts.workload("split"), "600"], folder: scratch.path)
      try waitForSamples(path)
      started.send(signal, toGroup: toGroup)
      let result = try started.wait(seconds: 60)
      #expect(result.ending == .killed(signal: signal))
      #expect(result.error == "")
      let (profile, _, isComplete) = try readRecording(path: path)
      #expect(isComplete)
      #expect(!profile.samples.isEmpty)
      #expect(profile.provenance.exit == .signalled(signal))
    }

    /// Counts interruptions, ends some time after the first, and has its own status.
    private static let counting = """
      trap 'n=$((n + 1))' INT
      touch started; while [ "${n:-0}" = 0 ]; do :; done
      for i in 1 2 3 4 5; do sleep 0.1; done
      echo "interrupted $n"; exit 6
      """

    /// What a target makes of a signal that was passed on counts, and it gets it once.
    @Test func aTargetMayEndInItsOwnWay() throws {
      let scratch = try Scratch()
      let started = try StartedProgram(
        [BuiltProducts.qprof, "record", "-o", "a.qprof", "--", "bash", "-c", Self.counting],
        folder: scratch.path)
      try waitForSamples(scratch("a.qprof"))
      started.send(SIGINT)
      let result = try started.wait(seconds: 60)
      #expect(result.ending == .exited(6))
      #expect(result.output == "interrupted 1\n")
      let (profile, _, isComplete) = try readRecording(path: scratch("a.qprof"))
      #expect(isComplete && profile.provenance.exit == .exited(6))
    }

    /// A terminal interrupts all of its foreground group: the target as well as the recorder, which
    /// must not pass it on a second time. Here with a real one, of `script`. Its shell, which `SHELL`
    /// names, has to make way: dash, interrupted too, ends by the signal whatever its command did.
    @Test func aTerminalInterruptsOnce() throws {
      let scratch = try Scratch()
      try scratch.write(Self.counting, "target")
      let script = """
        type_interrupt() {
          until [ -e started ]; do sleep 0.1; done
          sleep 1.5; printf '\\003'
          for i in {1..300}; do [ -e over ] && break; sleep 0.1; done
        }
        type_interrupt | {
          script -qec "exec '$0' record -o a.qprof -- bash target" typescript > shown
          echo "status $?"; touch over
        }
        """
      let result = try runToEnd(["bash", "-c", script, BuiltProducts.qprof], folder: scratch.path)
      #expect(result.output == "status 6\n")
      let shown = try String(contentsOfFile: scratch("shown"), encoding: .utf8)
      #expect(shown.contains("interrupted 1\r\n"), "\(shown.debugDescription)")
      // A person is told what was recorded, and where.
      #expect(shown.contains("qprof: ") && shown.contains("in a.qprof"))
      let (profile, _, isComplete) = try readRecording(path: scratch("a.qprof"))
      #expect(isComplete && profile.provenance.exit == .exited(6))
      #expect(!profile.samples.isEmpty)
    }

    private func waitForSamples(_ path: String) throws {
      let limit = Date() + 60
      while (try? readRecording(path: path))?.profile.samples.isEmpty ?? true {
        try #require(Date() < limit, "no samples in \(path) after a minute")
        usleep(200_000)
      }
    }
  }
}
