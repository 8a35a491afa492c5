import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Programs that do with memory, threads and signals what trackers stumble over.
  @Suite struct HeapHazardTests {
    static let ends: [(how: String, ending: ProgramResult.Ending)] = [
      ("return", .exited(3)), ("exit", .exited(3)), ("_exit", .exited(3)),
      ("quick_exit", .exited(3)), ("abort", .killed(signal: SIGABRT)),
      ("SIGTERM", .killed(signal: SIGTERM)), ("SIGKILL", .killed(signal: SIGKILL)),
    ]

    @Test(arguments: ends) func nothingIsLostAtTheEnd(
      how: String, ending: ProgramResult.Ending
    ) throws {
      let recorded = try Recorded(
        [try BuiltProducts.workload("heap_ends"), how], options: ["--heap"])
      #expect(recorded.result.ending == ending)
      recorded.expectTheAnswers()
      let atLast = recorded.sums(below: "after_wait").allocated.count
      #expect(how == "SIGKILL" ? atLast <= 1000 : atLast == 1000, "\(atLast) of 1000")
    }

    /// In destructors of threads, of static objects, and of libraries around the agent's own.
    @Test func destructorsAllocateAndFree() throws {
      let recorded = try Recorded.heap("heap_destructors")
      recorded.expectTheAnswers()
      #expect(try recorded.heapProcess().unknownFrees == 0)
    }

    /// Neither a jump nor an exception past the agent leaves it switched off.
    @Test func functionsAreLeftWithoutReturning() throws {
      let recorded = try Recorded.heap("heap_jumps")
      recorded.expectTheAnswers()
      #expect(try recorded.heapProcess().failed >= 200)
    }

    @Test func childrenOfThreadedParents() throws {
      let recorded = try Recorded.heap("heap_forks")
      let truth = answers(recorded.result.output)
      #expect(truth["children"] == 200)
      #expect(Double(recorded.sums(below: "parent_block").allocated.count) == truth["parent_block"])
      let blocks = recorded.sums(below: "child_block")
      #expect(blocks.allocated == HeapAmount(count: 42_000, bytes: 42_000 * 48))
      #expect(blocks.freed == HeapAmount())
      #expect(recorded.profile.heap?.processes.count == 201)
    }

    @Test func programsStartedByVforkSpawnAndExec() throws {
      let recorded = try Recorded.heap("heap_execs")
      recorded.expectTheAnswers()
      #expect(recorded.profile.heap?.processes.count == 22)
    }

    /// The plugins are found as without qprof, and stacks name the one that was there at the time.
    @Test func pluginsAtOneAddress() throws {
      let recorded = try Recorded.heap("heap_plugins")
      recorded.expectTheAnswers()
      for site in recorded.profile.heap?.sites ?? [] {
        let names = Set(recorded.names(site))
        #expect(!names.isSuperset(of: ["plugin_one", "plugin_two"]))
      }
      #expect(answers(recorded.result.output)["moved"] == 0, "the test tests nothing")
    }

    @Test func theLoadersListIsWalkedMeanwhile() throws {
      let recorded = try Recorded.heap("heap_walk", "10")
      try expectCounts(recorded, of: ["walked_block", "beside_block"])
    }

    /// With a false order an address would be taken twice, or freed while free.
    @Test func reallocationsRaceForAddresses() throws {
      let recorded = try Recorded.heap("heap_race")
      let truth = recorded.result.output.split(separator: " ").compactMap {
        Int64($0.trimmingCharacters(in: .newlines))
      }
      let sums = recorded.sums(below: "race_block")
      #expect([sums.allocated.count, sums.allocated.bytes] == truth)
      #expect(sums.freed == sums.allocated)
      #expect(try recorded.heapProcess().unknownFrees == 0)
      try recorded.expectConsistency()
    }

    @Test func signalHandlersAllocate() throws {
      let recorded = try Recorded.heap("heap_signals", "1")
      try expectCounts(recorded, of: ["main_block", "handler_block"])
      // The handler may find the agent at work, which then cannot but count it.
      let pages = recorded.sums(below: "handler_page", kind: .mapping)
      let missed = try recorded.heapProcess().reentrant
      let truth = try #require(answers(recorded.result.output)["handler_page"])
      #expect(Double(pages.allocated.count) <= truth)
      #expect(Double(pages.allocated.count + missed) >= truth)
    }

    @Test func daemonsCloseEverything() throws {
      let scratch = try Scratch()
      let recorded = try Recorded(
        [try BuiltProducts.workload("heap_daemon"), scratch("answer")], options: ["--heap"])
      #expect(recorded.result.ending == .exited(0))
      #expect(recorded.result.output == "")
      let answer = try String(contentsOfFile: scratch("answer"), encoding: .utf8)
      #expect(answer.split(separator: "\n").count == 2, "\(answer)")
      recorded.expectTheAnswers(in: answer)
    }

    @Test func coroutinesHaveCompleteStacks() throws {
      let recorded = try Recorded.heap("heap_coroutine")
      recorded.expectTheAnswers()
      #expect(recorded.sums(below: "ping_entry") == recorded.sums(below: "ping_block"))
      #expect(recorded.sums(below: "pong_entry") == recorded.sums(below: "pong_block"))
      #expect(try recorded.heapProcess().truncated == 0)
    }

    @Test func manyShortThreads() throws {
      let recorded = try Recorded.heap("heap_churn", "2000")
      recorded.expectTheAnswers()
      try recorded.expectConsistency()
    }

    /// It runs as ever, and both the terminal and the recording say that it was not tracked.
    @Test func aProgramWithAMallocOfItsOwn() throws {
      let scratch = try Scratch()
      let path = scratch("a.qprof")
      let result = try runToEnd([
        BuiltProducts.qprof, "record", "--heap", "-o", path, "--",
        try BuiltProducts.workload("heap_own"),
      ])
      #expect(result.ending == .exited(0))
      #expect(result.output == "blocks 1000\n")
      #expect(result.error.contains("malloc"), "\(result.error)")
      let heap = try #require(try readRecording(path: path).profile.heap)
      #expect(heap.processes.map { $0.untracked != nil } == [true])
      #expect(heap.sites.allSatisfy { $0.kind != .block })
    }

    @Test func aStaticProgramIsRefused() throws {
      let scratch = try Scratch()
      let result = try runToEnd([
        BuiltProducts.qprof, "record", "--heap", "-o", scratch("a.qprof"), "--",
        try BuiltProducts.workload("heap_ends-static"), "return",
      ])
      #expect(result.ending == .exited(126))
      #expect(result.error.contains("statically linked"), "\(result.error)")
    }

    /// The blocks of these functions, all of which were freed, as counted by the program.
    private func expectCounts(
      _ recorded: Recorded, of functions: [String],
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let truth = answers(recorded.result.output)
      for function in functions {
        let sums = recorded.sums(below: function)
        let count = try #require(truth[function], sourceLocation: sourceLocation)
        #expect(
          Double(sums.allocated.count) == count, "\(function)", sourceLocation: sourceLocation)
        #expect(sums.freed == sums.allocated, "\(function)", sourceLocation: sourceLocation)
      }
    }
  }
}
