extension HeapSite {
  /// The 95 % interval of the number of allocations in a sampled profile; nil in others.
  package var countInterval95: ClosedRange<Double>? {
    drawn > 0 ? Self.interval95(Double(allocated.count), variance: countVariance) : nil
  }

  /// The 95 % interval of the bytes allocated in a sampled profile; nil in others.
  package var bytesInterval95: ClosedRange<Double>? {
    drawn > 0 ? Self.interval95(Double(allocated.bytes), variance: bytesVariance) : nil
  }

  /// The 95 % interval of a weighted number of draws.
  ///
  /// As many equal draws as have this sum and variance are taken to be Poisson distributed
  /// (Garwood, Biometrika 28, 1936; for unequal weights Fay and Feuer, Stat. Med. 16, 1997): unlike
  /// `estimate ± 1.96 √variance` it covers also where draws are few. It knows only of what was
  /// drawn: too narrow for the count of a site whose blocks differ a hundredfold in size, as long
  /// as none of the small ones is among them.
  package static func interval95(_ estimate: Double, variance: Double) -> ClosedRange<Double> {
    guard estimate > 0, variance > 0, variance.isFinite else { return estimate...estimate }
    let draws = estimate * estimate / variance
    let scale = variance / estimate
    let low = scale / 2 * chiSquare(-1.959964, freedom: 2 * draws)
    let high = scale / 2 * chiSquare(1.959964, freedom: 2 * (draws + 1))
    return min(low, estimate)...max(high, estimate)
  }

  /// The quantile of the χ² distribution that has the standard normal quantile `z` (Wilson and
  /// Hilferty, Proc. Natl. Acad. Sci. 17, 1931).
  private static func chiSquare(_ z: Double, freedom: Double) -> Double {
    let part = 2 / (9 * freedom)
    let root = max(0, 1 - part + z * part.squareRoot())
    return freedom * root * root * root
  }
}
