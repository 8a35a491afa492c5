/// A part of a whole, estimated from samples.
package struct Share: Hashable, Sendable {
  /// From 0 to 1; 0 when the whole is nothing.
  package let value: Double
  /// Independent samples behind the whole; nil when unknown.
  package let samples: Double?

  package init(_ part: Int64, of whole: Int64, samples: Double?) {
    value = whole == 0 ? 0 : Double(part) / Double(whole)
    self.samples = samples.flatMap { $0 > 0 ? $0 : nil }
  }

  /// `sqrt(p(1 − p)/n)`.
  package var standardError: Double? {
    samples.map { (max(0, value * (1 - value)) / $0).squareRoot() }
  }

  /// The 95 % score interval (Wilson, J. Am. Stat. Assoc. 22, 1927), which unlike `p ± 1.96 SE`
  /// stays inside 0…1 and does not shrink to nothing for a share of 0 or 1.
  package var interval95: ClosedRange<Double>? {
    guard let n = samples, (0...1).contains(value) else { return nil }
    let z = 1.959964
    let center = (value + z * z / (2 * n)) / (1 + z * z / n)
    let radius =
      z / (1 + z * z / n) * (value * (1 - value) / n + z * z / (4 * n * n)).squareRoot()
    return max(0, min(value, center - radius))...min(1, max(value, center + radius))
  }
}
