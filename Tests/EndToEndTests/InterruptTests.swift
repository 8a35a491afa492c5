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
      let started = try StartedProgram([
        BuiltProducts.qprof, "record", "-o", path, "--", try BuiltProducts.workload("split"), "600",
      ])
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

    /// A target that handles Ctrl-C gets it once, and what it then does counts.
    @Test(arguments: [true, false]) func aTargetMayEndInItsOwnWay(toGroup: Bool) throws {
      let scratch = try Scratch()
      let path = scratch("a.qprof")
      let script = """
        trap 'echo interrupted; n=$((n + 1))' INT
        while [ "${n:-0}" = 0 ]; do :; done
        for i in 1 2 3; do sleep 0.1; done
        echo "$n"; exit 6
        """
      let started = try StartedProgram([
        BuiltProducts.qprof, "record", "-o", path, "--", "bash", "-c", script,
      ])
      try waitForSamples(path)
      started.send(SIGINT, toGroup: toGroup)
      let result = try started.wait(seconds: 60)
      #expect(result.ending == .exited(6))
      #expect(result.output == "interrupted\n1\n")
      #expect(try readRecording(path: path).profile.provenance.exit == .exited(6))
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
