import TestSupport
import Testing

extension EndToEnd {
  /// `qprof report --fail-if` between two builds of one program.
  @Suite struct HeapGateTests {
    @Test func anAddedAllocationFailsTheGateAndIsNamed() throws {
      let base = try Recorded.heap("heap_gate")
      let more = try Recorded.heap("heap_gate-more")
      let result = try gate(more, against: base, "allocs>+2%")
      #expect(result.ending == .exited(1), "\(result.error)")
      #expect((result.output + result.error).contains("extra_block"), "\(result.output)")
      // 10 % more, which a wider gate lets through.
      #expect(try gate(more, against: base, "allocs>+11%").ending == .exited(0))
      #expect(try gate(more, against: base, "leaked>0").ending == .exited(0))
    }

    /// Counters do not vary from run to run, so the strictest gate holds for the same program.
    @Test func theSameProgramPassesTheStrictestGate() throws {
      let base = try Recorded.heap("heap_gate")
      let again = try Recorded.heap("heap_gate")
      for condition in ["allocs!=+0", "bytes!=+0", "peak!=+0", "temporary!=+0", "leaked>0"] {
        let result = try gate(again, against: base, condition)
        #expect(result.ending == .exited(0), "\(condition): \(result.output)\(result.error)")
      }
    }

    private func gate(
      _ recorded: Recorded, against base: Recorded, _ condition: String
    ) throws -> ProgramResult {
      try runToEnd([
        BuiltProducts.qprof, "report", recorded.path, "--diff", base.path, "--fail-if", condition,
      ])
    }
  }
}
