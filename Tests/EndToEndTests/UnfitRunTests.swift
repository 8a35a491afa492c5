import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Runs that are recorded, but of which little can be said: the report says that and why.
  @Suite struct UnfitRunTests {
    @Test func aRunThatIsTooShort() throws {
      let nothing = try Recorded(["true"])
      let report = try nothing.report()
      #expect(report.sampling.samples ?? 0 <= 1)
      let advice = report.advice.filter { ["no-samples", "few-samples"].contains($0.code) }
      #expect(advice.count == 1)
      #expect(advice.first?.message.contains("Record a") == true)

      let short = try Recorded([try BuiltProducts.workload("exits"), "0"])
      let samples = try #require(try short.report().sampling.samples)
      let few = try #require(try short.report().advice.first { $0.code == "few-samples" })
      #expect(few.message.contains("\(samples) samples are few"))
      #expect(few.message.contains("Record a longer run"))
    }

    /// The handler never runs: named at the end, instead of silence.
    @Test func aProgramThatTakesTheSignal() throws {
      let scratch = try Scratch()
      let path = scratch("a.qprof")
      let result = try runToEnd([
        BuiltProducts.qprof, "record", "-o", path, "--", try BuiltProducts.workload("rawsignal"),
        "1",
      ])
      #expect(result.ending == .exited(0))
      #expect(result.output.hasPrefix("cpu 1.0"))
      #expect(result.error.contains("rawsignal") && result.error.contains("signal handler"))
      let report = try runToEnd([BuiltProducts.qprof, "report", path, "--json"])
      let losses = try JSONDecoder().decode(JSONReport.self, from: report.outputBytes).losses
      #expect(losses.first { $0.reason == "never entered" }?.processNames == ["rawsignal"])
    }

    /// Go with cgo goes through the C library, and is seen; without it, Go takes the signal by
    /// system calls of its own, and is named.
    @Test(arguments: [("goburn-cgo", true), ("goburn-raw", false)])
    func goIsSeenOrNamed(program: String, isSeen: Bool) throws {
      let scratch = try Scratch()
      let path = scratch("a.qprof")
      let result = try runToEnd([
        BuiltProducts.qprof, "record", "-o", path, "--", try BuiltProducts.workload(program), "1",
      ])
      #expect(result.ending == .exited(0))
      #expect(result.output == "done\n")
      let profile = try readRecording(path: path).profile
      let used = try #require(profile.provenance.cpuTime).seconds
      let weight = profile.samples.reduce(0) { $0 + $1.weight }
      let seen = Double(weight) * Double(profile.period?.value ?? 0) / 1e9
      #expect((seen > 0.9 * used) == isSeen, "\(seen) s of \(used) s")
      let named = profile.losses.processNames[.neverEntered]
      #expect(named == (isSeen ? nil : [program]))
      #expect(result.error.contains("signal handler") != isSeen)
    }

    /// A recording cut anywhere is refused, also where nothing but free space is missing.
    @Test func aTruncatedRecording() throws {
      let recorded = try Recorded([try BuiltProducts.workload("exits"), "0"])
      let whole = try Data(contentsOf: URL(fileURLWithPath: recorded.path))
      var random = RepeatableRandom(seed: 9)
      let lengths =
        [1, whole.count - 1]
        + (0..<8).map { _ in
          Int.random(in: 2..<whole.count, using: &random)
        }
      for length in lengths {
        let path = recorded.file("cut.qprof")
        try whole.prefix(length).write(to: URL(fileURLWithPath: path))
        let result = try runToEnd([BuiltProducts.qprof, "report", path])
        #expect(result.ending == .exited(65), "cut to \(length) bytes: \(result.error)")
        #expect(result.error.contains("cut.qprof"))
        #expect(result.output == "")
      }
    }
  }
}
