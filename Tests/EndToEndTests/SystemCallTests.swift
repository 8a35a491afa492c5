import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  @Suite struct SystemCallTests {
    /// libunwind's cache masks all signals around each look-up, two calls a frame, unless it is
    /// kept from it; and reading the target's memory would be one call more.
    @Test func unwindingMakesNoSystemCalls() throws {
      let scratch = try Scratch()
      let (log, path) = (scratch("strace"), scratch("a.qprof"))
      let traced = "rt_sigprocmask,process_vm_readv,pread64,ptrace"
      let result = try runToEnd([
        "strace", "-o", log, "-e", "trace=\(traced)", BuiltProducts.qprof, "record", "-o", path,
        "--", try BuiltProducts.workload("deep"), "200",
      ])
      #expect(result.ending == .exited(0), "\(result.error)")
      let profile = try readRecording(path: path).profile
      let frames = profile.samples.reduce(0) { $0 + profile.locations(of: $1.stack).count }
      #expect(frames > 5000)
      let calls = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
      #expect(calls.contains { $0.hasPrefix("rt_sigprocmask") }, "strace saw nothing")
      // Of signals, SQLite and the like, the same for a recording of any length.
      #expect(calls.count < 500, "\(calls.count) calls for \(frames) frames")
    }
  }
}
