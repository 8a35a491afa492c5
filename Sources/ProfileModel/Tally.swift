/// Sample weight, and the number of samples that carry it.
///
/// Sums stop at the largest `Int64` instead of trapping: weights may come from a file.
package struct Tally: Hashable, Sendable {
  /// In units of ``Profile/valueType``.
  package var weight: Int64
  package var samples: Int

  package init(weight: Int64 = 0, samples: Int = 0) {
    self.weight = weight
    self.samples = samples
  }

  package var isZero: Bool { weight == 0 && samples == 0 }

  package static func + (a: Self, b: Self) -> Self {
    let (sum, overflow) = a.weight.addingReportingOverflow(b.weight)
    return Tally(
      weight: overflow ? (b.weight < 0 ? .min : .max) : sum, samples: a.samples + b.samples)
  }
  package static func += (a: inout Self, b: Self) { a = a + b }
}

/// Samples summed by stack: the step before every other sum, because a million samples share
/// some thousand distinct stacks.
package struct StackTotals: Sendable {
  /// By the index of the stack's leaf in ``Profile/stacks``.
  package private(set) var perStack: [Tally]
  /// Samples of which nothing but their weight is known.
  package private(set) var withoutStack = Tally()
  package private(set) var total = Tally()
  /// The number of equally heavy samples that would tell as much: (Σw)² / Σw² (Kish, Survey
  /// Sampling, 1965). Equal to the number of samples when all weigh the same. Nil when a row of
  /// ``Profile/samples`` is a sum over many samples, as in folded stacks, which carry no times.
  package private(set) var effectiveSamples: Double?

  package init(_ profile: Profile) {
    perStack = Array(repeating: Tally(), count: profile.stacks.count)
    var weights = 0.0
    var squares = 0.0
    var hasTimes = false
    for sample in profile.samples {
      let one = Tally(weight: sample.weight, samples: 1)
      if let stack = sample.stack { perStack[stack.index] += one } else { withoutStack += one }
      total += one
      weights += Double(sample.weight)
      squares += Double(sample.weight) * Double(sample.weight)
      hasTimes = hasTimes || sample.time.rawValue != 0
    }
    effectiveSamples = hasTimes && squares > 0 ? weights * weights / squares : nil
  }
}
