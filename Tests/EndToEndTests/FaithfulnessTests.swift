import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// A program does the same with and without qprof.
  @Suite struct FaithfulnessTests {
    struct Program: Sendable, CustomTestStringConvertible {
      var testDescription: String
      /// A script for bash; it replaces itself by the program where the ending matters.
      var script: String
    }

    private static let programs = [
      Program(testDescription: "exit 0", script: "exec $W/exits 0"),
      Program(testDescription: "exit 1", script: "exec $W/exits 1"),
      Program(testDescription: "exit 3", script: "exec $W/exits 3"),
      Program(testDescription: "exit 255", script: "exec $W/exits 255"),
      Program(testDescription: "_exit 7", script: "exec $W/exits _7"),
      Program(testDescription: "abort", script: "exec $W/exits abort"),
      Program(testDescription: "SIGSEGV", script: "exec $W/exits signal 11"),
      Program(testDescription: "SIGKILL", script: "exec $W/exits signal 9"),
      Program(testDescription: "SIGTERM", script: "exec $W/exits signal 15"),
      Program(testDescription: "SIGPROF", script: "exec $W/exits signal 27"),
      Program(
        testDescription: "sqlite3 with an error",
        script: "exec sqlite3 :memory: 'select hex(1234); select * from nothing'"),
      Program(
        testDescription: "perl",
        script: """
          exec perl -e 'print STDERR "warn\\n"; for (1..300000) { $s += $_ % 7 }
          print "$s\\n"; print sort map { "$_\\n" } 1..2000; exit 9'
          """),
      Program(
        testDescription: "python3",
        script: """
          exec /usr/bin/python3 -c 'import subprocess, signal
          print(subprocess.run(["seq", "5"], capture_output=True, text=True).stdout)
          print(signal.getsignal(signal.SIGPROF), signal.pthread_sigmask(signal.SIG_BLOCK, []))
          raise SystemExit("gone")'
          """),
      Program(
        testDescription: "gcc with an error",
        script: "echo 'int main(void) { return x; }' | exec gcc -x c -c - -o /dev/null"),
      Program(
        testDescription: "xz through a pipe", script: "seq 200000 | xz -c | xz -dc | sha256sum"),
      Program(testDescription: "panics", script: "$W/panics 0.3 | sed 's/[0-9]*$//'"),
      Program(testDescription: "throws", script: "$W/throws 0.3 | tr -d 0-9"),
      Program(
        testDescription: "traps and jobs",
        script: """
          trap 'echo term; exit 5' TERM; echo start; sleep 0.1 & wait
          ulimit -n; umask; kill -TERM $$; echo never
          """),
      Program(
        testDescription: "file size limit",
        script: "ulimit -f 1; exec dd if=/dev/zero of=$(mktemp) bs=1000 count=100 2>/dev/null"),
      Program(testDescription: "input", script: "exec tac"),
    ]

    @Test(arguments: programs) func nothingChanges(program: Program) throws {
      let workloads = URL(fileURLWithPath: try BuiltProducts.workload("exits"))
        .deletingLastPathComponent().path
      let scratch = try Scratch()
      let command = ["bash", "-c", program.script]
      let environment = ["W": workloads, "LC_ALL": "C"]
      let input = "one\ntwo\nthree\n"
      let alone = try runToEnd(
        command, folder: scratch.path, environment: environment, input: input)
      let recorded = try runToEnd(
        [BuiltProducts.qprof, "record", "-o", scratch("a.qprof"), "--"] + command,
        folder: scratch.path, environment: environment, input: input)
      #expect(recorded.ending == alone.ending)
      #expect(recorded.output == alone.output)
      #expect(recorded.error == alone.error)
      #expect(recorded.outputBytes == alone.outputBytes)
      #expect(recorded.errorBytes == alone.errorBytes)
    }
  }
}
