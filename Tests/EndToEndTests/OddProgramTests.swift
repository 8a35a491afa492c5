import Foundation
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Programs that do with threads, stacks and signals what few do.
  @Suite struct OddProgramTests {
    @Test func aThreadThatTheCLibraryDoesNotKnowIsFound() throws {
      let recorded = try Recorded.workload("rawclone", "1")
      let truth = answers(recorded.result.output)
      for name in ["main_work", "raw_work"] {
        let seconds = try #require(truth[name])
        let weight = recorded.weight { recorded.names($0).contains(name) }
        // It is found at the second look at the threads, half a second after its start at worst.
        let measured = Double(weight) * recorded.period
        let late = name == "raw_work" ? 0.6 : 0
        #expect(measured <= 1.05 * seconds && measured >= 0.9 * (seconds - late), "\(name)")
      }
      #expect(Set(recorded.profile.threads.rows.map(\.tid)).count == 2)
    }

    @Test func aProgramKeepsItsOwnHandler() throws {
      let alone = try runToEnd([try BuiltProducts.workload("ownhandler"), "1"])
      let recorded = try Recorded.workload("ownhandler", "1")
      let (own, seen) = (
        answers(alone.output)["ticks"] ?? 0, answers(recorded.result.output)["ticks"] ?? 0
      )
      #expect(own > 50)
      #expect(abs(seen - own) <= 0.1 * own, "\(seen) ticks, \(own) without qprof")
      #expect(abs(recorded.sampledSeconds - 1) < 0.05)
    }

    @Test func aThreadThatWaitsForSignalsGetsNoneOfOurs() throws {
      let recorded = try Recorded.workload("sigwait", "1")
      #expect(recorded.result.output == "received 1\n")
      let weights = recorded.weightByThread.map(\.weight).sorted().suffix(2)
      #expect(weights.count == 2)
      for weight in weights { #expect(abs(Double(weight) * recorded.period - 1) < 0.05) }
    }

    /// Masks set through the C library leave our signal open.
    @Test func blockedSignalsHideNothing() throws {
      let recorded = try Recorded.workload("blocked", "0.1")
      let share = recorded.share(below: "blocked_work")
      #expect(abs(share - 0.5) <= tolerance(0.5, signals: recorded.effectiveSignals))
      #expect(recorded.sampledSeconds > 1.94)
    }

    /// A mask set by the system call itself holds the ticks up: they arrive together, and are not
    /// given to the place where they arrive.
    @Test func ticksHeldUpAreSetApart() throws {
      let recorded = try Recorded.workload("blocked", "0.1", "raw")
      let held = Double(recorded.weight { !recorded.isPlaced($0) }) * recorded.period
      #expect(held > 0.9, "\(held) s")
      #expect(abs(recorded.sampledSeconds - 2) < 0.1)
      let open = recorded.weight { recorded.names($0).contains("open_work") }
      #expect(Double(open) * recorded.period < 1.1)
      #expect(try recorded.report().advice.contains { $0.code == "signal-blocked" })
    }

    @Test(arguments: ["64", "8"]) func stacksGoThroughTheAlternateStack(kilobytes: String) throws {
      let recorded = try Recorded.workload("altstack", kilobytes, "1")
      for name in ["handler_work", "raiser", "main"] {
        #expect(recorded.share(below: name) > 0.97, "\(name)")
      }
      expectComplete(recorded)
    }

    @Test(arguments: ["64", "4"]) func coroutinesAreComplete(kilobytes: String) throws {
      let recorded = try Recorded.workload("coroutine", kilobytes, "1")
      for name in ["ping", "pong"] {
        let allowed = tolerance(0.5, signals: recorded.effectiveSignals)
        #expect(abs(recorded.share(below: name) - 0.5) <= allowed)
      }
      expectComplete(recorded)
    }

    @Test func aLeafWithoutUnwindTablesButWithAFrameIsComplete() throws {
      let recorded = try Recorded.workload("noeh", "framed", "0.7")
      for name in ["leaf_framed", "caller", "main"] {
        #expect(recorded.share(below: name) > 0.97, "\(name)")
      }
      expectComplete(recorded)
    }

    @Test func aLeafWithNeitherIsNotTakenForComplete() throws {
      let recorded = try Recorded.workload("noeh", "bare", "0.7")
      #expect(recorded.share(below: "leaf_bare") > 0.97)
      let truncated = recorded.weight {
        recorded.names($0).last == FrameMarker.noUnwindInfo.label
      }
      #expect(Double(truncated) > 0.9 * Double(recorded.totalWeight))
      #expect(try recorded.report().advice.contains { $0.code == "truncated" })
    }

    @Test(arguments: [
      ("edges", "vdso"), ("edges", "plt"), ("edges", "prologue"), ("edges-gold", "plt"),
    ])
    func edgesOfFunctionsAreComplete(program: String, mode: String) throws {
      let recorded = try Recorded.workload(program, mode, "1")
      #expect(recorded.share(below: "around") > 0.97)
      expectComplete(recorded)
    }

    /// Rows of 64 bytes: 500 of them fit into the copy, 3,000 do not.
    @Test func deepStacksAreWholeUpToTheCap() throws {
      let shallow = try Recorded.workload("deep", "500", "1")
      #expect(shallow.share(below: "bottom") > 0.97)
      let sample = try #require(
        shallow.profile.samples.first { shallow.names($0).contains("bottom") })
      #expect(shallow.names(sample).filter { $0 == "descend" }.count == 500)

      let deep = try Recorded.workload("deep", "3000", "1")
      #expect(deep.share(below: "bottom") > 0.97)
      let capped = deep.weight { deep.names($0).last == FrameMarker.stackCapped.label }
      #expect(Double(capped) > 0.9 * Double(deep.totalWeight))
    }

    @Test func framePointersStandInForTables() throws {
      let recorded = try Recorded.workload("split-notables", "1")
      #expect(recorded.share(below: "forty") > 0.3)
      expectComplete(recorded)
    }

    /// Tables that libunwind's search does not find.
    @Test(arguments: ["split-nohdr", "split-debugframe"])
    func tablesWithoutASearchTableAreRead(name: String) throws {
      let recorded = try Recorded.workload(name, "1")
      #expect(recorded.share(below: "forty") > 0.3)
      expectComplete(recorded)
    }

    private func expectComplete(
      _ recorded: Recorded, sourceLocation: SourceLocation = #_sourceLocation
    ) {
      let completeness = StackCompleteness(recorded)
      #expect(completeness.share >= 0.99, "\(completeness.causes)", sourceLocation: sourceLocation)
    }
  }
}
