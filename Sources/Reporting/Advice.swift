import ProfileModel

/// Why a reader should not take the numbers as they are, and what to do about it.
enum Advice: Hashable, Sendable {
  case noSamples(cpuTime: Nanoseconds?)
  /// `margin` is the largest half width of a share's 95 % interval, 0…1.
  case fewSamples(samples: Int, wanted: Int, margin: Double, rate: Double)
  case signalBlocked(share: Double)
  case truncated(marker: FrameMarker, share: Double)
  /// `modules` has those with most of it, with their shares of the whole.
  case unsymbolised(share: Double, modules: [ModuleShare])
  case lowCoverage(coverage: Double, sampled: Nanoseconds, counted: Nanoseconds)

  struct ModuleShare: Hashable, Sendable {
    var module: String
    var share: Double
  }

  /// Below this number a share of one half is uncertain by more than 10 points.
  static let fewestSamples = 100
  /// Of the whole: less is not worth a word.
  static let smallestWorthNaming = 0.01
  static let smallestUnsymbolisedShare = 0.05
  static let smallestCoverage = 0.9

  /// The name of the case in JSON.
  var code: String {
    switch self {
    case .noSamples: "no-samples"
    case .fewSamples: "few-samples"
    case .signalBlocked: "signal-blocked"
    case .truncated: "truncated"
    case .unsymbolised: "unsymbolised"
    case .lowCoverage: "low-coverage"
    }
  }
}

extension Report {
  /// In order of how much they matter.
  var advice: [Advice] { sampleAdvice + coverageAdvice + cutAdvice + symbolAdvice }

  private var sampleAdvice: [Advice] {
    guard total.samples > 0 else {
      // A runtime that takes the signal is reason enough, and told among the losses.
      return losses[.neverEntered].events > 0 || !hasSamples
        ? [] : [.noSamples(cpuTime: provenance.cpuTime)]
    }
    guard let samples = sampleCount, let effective = flat.effectiveSamples,
      effective < Double(Advice.fewestSamples)
    else { return [] }
    let half = Share(1, of: 2, samples: effective).interval95
    return [
      .fewSamples(
        samples: samples, wanted: Advice.fewestSamples,
        margin: half.map { ($0.upperBound - $0.lowerBound) / 2 } ?? 0.5,
        rate: provenance.effectiveRate)
    ]
  }

  private var coverageAdvice: [Advice] {
    guard let coverage, coverage < Advice.smallestCoverage, total.samples > 0,
      let sampled = sampledCPUTime, let counted = provenance.cpuTime
    else { return [] }
    return [.lowCoverage(coverage: coverage, sampled: sampled, counted: counted)]
  }

  private var cutAdvice: [Advice] {
    FrameMarker.allCases.compactMap { marker in
      guard let tally = completeness.byMarker[marker] else { return nil }
      let share = share(tally).value
      guard share >= Advice.smallestWorthNaming else { return nil }
      return marker.isTruncation
        ? .truncated(marker: marker, share: share) : .signalBlocked(share: share)
    }
  }

  private var symbolAdvice: [Advice] {
    let share = share(flat.unsymbolised).value
    guard share >= Advice.smallestUnsymbolisedShare else { return [] }
    var weights: [String: Tally] = [:]
    for entry in flat.functions where !entry.function.isSymbolised {
      weights[entry.function.module, default: Tally()] += entry.flat
    }
    let modules = weights.map { Advice.ModuleShare(module: $0, share: self.share($1).value) }
      .sorted { $0.share == $1.share ? $0.module < $1.module : $0.share > $1.share }
    let most = modules.prefix(3).filter { $0.share >= Advice.smallestWorthNaming }
    return [.unsymbolised(share: share, modules: most)]
  }
}
