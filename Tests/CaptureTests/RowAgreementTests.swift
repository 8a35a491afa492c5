import CUnwind
import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import Capture

/// libunwind and the rows of CUnwind, two readers of the same tables, find the same frames in
/// stacks of real programs.
@Suite(.serialized) struct RowAgreementTests {
  struct Program: Sendable, CustomTestStringConvertible {
    var name: String
    var command: [String]
    /// Share of the stacks that both must find a beginning of. (Code that a compiler wrote at run
    /// time and hand-written assembly have none to compare.)
    var complete = 0.99
    var testDescription: String { name }
  }

  static let programs = [
    Program(
      name: "sqlite3",
      command: [
        "/usr/bin/sqlite3", ":memory:",
        """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
        SELECT count(DISTINCT i % 977), sum(length(hex(i))) FROM n;
        """,
      ]),
    Program(
      name: "python3",
      command: [
        "/usr/bin/python3", "-c",
        "import json; t = json.dumps([{'k%d' % i: [i]} for i in range(2000)])\n"
          + "for _ in range(80): json.dumps(json.loads(t), indent=1)",
      ]),
    Program(
      name: "g++",
      command: ["/usr/bin/g++", "-O2", "-c", "workload templates.cc", "-o", "/dev/null"]),
    Program(
      name: "openssl",
      command: ["/usr/bin/openssl", "speed", "-seconds", "1", "-bytes", "8192", "sha256"]),
    Program(name: "swift", command: ["workload tasks"]),
    // 0.6 % of its stacks are caught while a panic lands, which in few samples can exceed 1 %.
    Program(name: "rust", command: ["workload panics", "8"]),
    Program(name: "signals", command: ["workload altstack", "64", "1"]),
    Program(name: "coroutines", command: ["workload coroutine", "64", "1"]),
    Program(name: "linkage stubs", command: ["workload edges", "plt", "1"]),
    Program(name: "gold's stubs", command: ["workload edges-gold", "plt", "1"]),
    Program(name: "prologues", command: ["workload edges", "prologue", "1"]),
    Program(name: "vDSO", command: ["workload edges", "vdso", "1"]),
    // Here the rows answer for libunwind.
    Program(name: "no search table", command: ["workload split-nohdr", "1"]),
    Program(name: ".debug_frame", command: ["workload split-debugframe", "1"]),
  ]

  @Test(arguments: programs) func everyFrameIsTheSame(program: Program) throws {
    let comparison = Comparison()
    try record(program.command, comparison)
    #expect(comparison.samples > 5)
    #expect(comparison.different == 0, "\(comparison.example)")
    #expect(
      Double(comparison.complete) >= program.complete * Double(comparison.samples),
      "\(comparison.complete) of \(comparison.samples): \(comparison.endings)")
    print("\(program.name): \(comparison.samples) stacks, \(comparison.frames) frames")
  }

  private func record(_ command: [String], _ comparison: Comparison) throws {
    let session = try CaptureSession(CaptureOptions(period: Nanoseconds(4_000_000)))
    session.attach(comparison)
    comparison.session = session
    let words = try command.map {
      $0.hasPrefix("workload ") ? try BuiltProducts.workload(String($0.dropFirst(9))) : $0
    }
    let agent = try AgentLibrary.find(in: BuiltProducts.folder.path)
    let program = try StartedProgram(words, environment: try session.environment(for: agent))
    while !hasEnded(program) { usleep(UInt32(session.poll().rawValue / 1000)) }
    session.finish()
    let result = try program.wait()
    #expect(result.ending == .exited(0), "\(result.error)")
  }

  private func hasEnded(_ program: StartedProgram) -> Bool {
    var info = siginfo_t()
    waitid(P_PID, id_t(program.pid), &info, WEXITED | WNOHANG | WNOWAIT)
    return info.si_signo == SIGCHLD
  }
}

/// Unwinds each sample in both ways.
private final class Comparison: CaptureConsumer {
  weak var session: CaptureSession?
  private(set) var samples = 0
  private(set) var frames = 0
  /// Of both.
  private(set) var complete = 0
  private(set) var different = 0
  private(set) var example = ""
  private(set) var endings: [String: Int] = [:]
  private let unwinder = Unwinder()
  private var stack = UnwoundStack()

  func captured(_ sample: RawSample, thread: Int32, of process: TracedProcess) {
    unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &stack)
    if stack.metUnknownCode, session?.rereadMaps(of: process) == true {
      unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &stack)
    }
    let (addresses, ending) = walkByRows(sample, process.addresses)
    samples += 1
    guard stack.truncation == nil, ending == UNWIND_COMPLETE else {
      let marker = stack.truncation.map(\.label) ?? "complete"
      endings["\(marker)/\(ending.rawValue)", default: 0] += 1
      return
    }
    complete += 1
    frames += addresses.count
    guard stack.addresses != addresses else { return }
    different += 1
    example = "\(hex(stack.addresses)), by rows \(hex(addresses))"
  }

  func began(_ process: TracedProcess) {}
  func renamed(thread: Int32, of process: TracedProcess, to name: String) {}
  func ended(_ process: TracedProcess) {}
  func mappingsChanged(of process: TracedProcess) { unwinder.forget(owner: process.number) }

  private func hex(_ addresses: [UInt64]) -> String {
    addresses.map { String($0, radix: 16) }.joined(separator: " ")
  }

  private func walkByRows(_ sample: RawSample, _ addresses: AddressSpace) -> (
    [UInt64], unwind_ending
  ) {
    addresses.table.withUnsafeBufferPointer { regions in
      var access = UnwindAccess(
        registers: UnsafeMutablePointer(mutating: sample.registers), stack: sample.stack,
        regions: regions)
      return withUnsafeMutablePointer(to: &access) { access in
        let rows = RowUnwinder(access: access, addresses: addresses)
        var frame = unwind_frame(
          pc: sample.registers[Register.rip] | RowUnwinder.exact,
          rsp: sample.registers[Register.rsp], rbp: sample.registers[Register.rbp])
        var found: [UInt64] = []
        var ending = UNWIND_CONTINUES
        while ending == UNWIND_CONTINUES, found.count < 8192 {
          found.append(unwind_lookup_address(frame.pc))
          ending = rows.step(&frame)
        }
        return (found, ending)
      }
    }
  }
}
