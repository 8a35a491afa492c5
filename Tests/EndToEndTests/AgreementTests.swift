import Foundation
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Other profilers and readers see the same functions with the same shares.
  @Suite struct AgreementTests {
    /// Shares by function, and the number of samples behind them.
    struct Shares {
      var byFunction: [String: Double]
      var samples: Double
      var top: [String] {
        byFunction.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(5).map(\.key)
      }
    }

    /// Without debug information nothing is known to be inlined, and all three tools speak of the
    /// same functions.
    @Test func splitAgrees() throws {
      let scratch = try Scratch()
      try run(["objcopy", "--strip-debug", try BuiltProducts.workload("split"), scratch("split")])
      try expectAgreement([scratch("split"), "3"], symbols: ["ten", "twenty", "thirty", "forty"])
    }

    /// Debian's perl is stripped, but exports most of its interpreter. Where there is no symbol,
    /// perf shows a bare address and qprof `perl+0xADDRESS`: those names are not compared.
    @Test func strippedPerlAgrees() throws {
      let script = """
        for my $i (1..9000000) { $h{$i % 1000} = "x" x ($i % 7); $s = $i * 3 + $s % 11; }
        """
      // With another seed the program itself would be another in each run.
      try expectAgreement(
        ["env", "PERL_HASH_SEED=0", "perl", "-e", script],
        symbols: ["Perl_hv_common", "Perl_pp_modulo"])
    }

    private func expectAgreement(_ command: [String], symbols: [String]) throws {
      let recorded = try Recorded(command)
      #expect(recorded.result.ending == .exited(0))
      let ours = try shares(recorded)
      let pprof = try shares(pprof: recorded)
      for symbol in symbols { #expect(ours.byFunction[symbol] != nil, "\(ours.top)") }
      // Three standard errors are exceeded by chance in one of 370 comparisons, of which there are
      // up to ten here. Chance does not do it to two pairs of runs.
      var differences = differences(of: ours, to: try shares(perf: command))
      if !differences.isEmpty {
        print("again, because of \(differences)")
        differences = self.differences(
          of: try shares(try Recorded(command)), to: try shares(perf: command))
      }
      #expect(differences.isEmpty)
      // The same samples, so no more than the rounding of two decimals.
      for name in ours.top {
        let there = try #require(pprof.byFunction[name], "\(name) is not in \(pprof.top)")
        #expect(abs(there - (ours.byFunction[name] ?? 0)) < 0.0002, "\(name): \(there)")
      }
      #expect(pprof.top.sorted() == ours.top.sorted())
    }

    /// The functions among the top five of each that have another share in the other, as far as
    /// two samples can tell.
    private func differences(of ours: Shares, to theirs: Shares) -> [String] {
      Set(ours.top + theirs.top).filter { !$0.contains("0x") }.sorted().compactMap { name in
        let (a, b) = (ours.byFunction[name] ?? 0, theirs.byFunction[name] ?? 0)
        let p = (a * ours.samples + b * theirs.samples) / (ours.samples + theirs.samples)
        let signals = 1 / (1 / ours.samples + 1 / theirs.samples)
        return abs(a - b) <= tolerance(p, signals: signals) ? nil : "\(name): \(a) here, \(b) there"
      }
    }

    private func shares(_ recorded: Recorded) throws -> Shares {
      let report = try recorded.report(top: 500)
      return Shares(
        byFunction: Dictionary(
          report.functions.bySelf.map { ($0.name, $0.flat.share) }, uniquingKeysWith: +),
        samples: recorded.effectiveSignals)
    }

    /// `perf record` in user mode at its own rate, without stacks.
    private func shares(perf command: [String]) throws -> Shares {
      let scratch = try Scratch()
      try run(
        ["perf", "record", "-q", "-e", "cpu-clock:u", "-F", "999", "-o", scratch("data"), "--"]
          + command)
      let text = try run([
        "perf", "report", "-i", scratch("data"), "--stdio", "--no-inline", "-F", "sample,sym",
        "-t", ";",
      ])
      var samples: [String: Double] = [:]
      for line in text.split(separator: "\n") where !line.hasPrefix("#") {
        let fields = line.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
        guard fields.count == 2, let count = Double(fields[0]) else { continue }
        samples[String(fields[1].dropFirst("[.] ".count)), default: 0] += count
      }
      let total = samples.values.reduce(0, +)
      try #require(total > 100, "perf took \(total) samples:\n\(text)")
      return Shares(byFunction: samples.mapValues { $0 / total }, samples: total)
    }

    /// `go tool pprof -top` on the export.
    private func shares(pprof recorded: Recorded) throws -> Shares {
      let path = recorded.file("profile.pb.gz")
      let export = try runToEnd([BuiltProducts.qprof, "export", recorded.path, "-o", path])
      try #require(export.ending == .exited(0), "\(export.error)")
      let text = try runToEnd(
        ["go", "tool", "pprof", "-top", "-nodecount=500", "-nodefraction=0", "-unit=ms", path],
        environment: ["HOME": recorded.file("home")])
      try #require(text.ending == .exited(0), "\(text.error)")
      var shares: [String: Double] = [:]
      // flat flat% sum% cum cum% name
      for line in text.output.split(separator: "\n") {
        let words = line.split(separator: " ", maxSplits: 5)
        guard words.count == 6, words[1].hasSuffix("%"), let share = Double(words[1].dropLast())
        else { continue }
        let name = words[5].trimmingCharacters(in: .whitespaces)
        shares[name, default: 0] += share / 100
      }
      return Shares(byFunction: shares, samples: recorded.effectiveSignals)
    }
  }
}
