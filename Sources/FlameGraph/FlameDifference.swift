package import ProfileModel

/// Two profiles in one tree: every node that either has, with what it weighed before and now.
package struct FlameDifference: Sendable {
  /// Its own and total weights are those of now.
  package let tree: FlameTree
  /// Weights before, in the unit of now and times ``scale``; index as in the tree.
  package let ownBefore: [Double]
  package let totalBefore: [Double]
  /// What the weights before were multiplied with so that both sides have the same total; 1 when
  /// nothing was scaled. The conversion between units is not part of it.
  package let scale: Double
  private let variance: (before: Double, after: Double)

  package init(
    base: Profile, current: Profile, grouping: FlameTree.Grouping? = nil, scalesBase: Bool = true
  ) {
    let grouping = grouping ?? .automatic(for: [base, current])
    var builder = FlameTreeBuilder()
    builder.add(base, grouping: grouping)
    var own = builder.takeWeights()
    builder.add(current, grouping: grouping)
    tree = builder.finish()

    own += Array(repeating: 0, count: tree.nodes.count - own.count)
    let total = tree.accumulate(own)
    let unit = Self.ratio(Quantities(base), to: Quantities(current))
    let (before, after) = (Double(total[0]) * unit, Double(tree.nodes[0].total))
    let scale = scalesBase && before > 0 && after > 0 ? after / before : 1
    self.scale = scale
    ownBefore = own.map { Double($0) * unit * scale }
    totalBefore = total.map { Double($0) * unit * scale }
    variance = (base.varianceOfWeight * unit * scale, current.varianceOfWeight)
  }

  /// Nothing was sampled: whatever differs has changed.
  package var isExact: Bool { variance.before == 0 && variance.after == 0 }

  /// Units of `current` in one unit of `base`; 1 where they are not both times.
  private static func ratio(_ base: Quantities, to current: Quantities) -> Double {
    guard let before = base.secondsPerUnit, let now = current.secondsPerUnit,
      before > 0, now > 0
    else { return 1 }
    return before / now
  }

  package func after(_ node: Int32) -> Double { Double(tree.nodes[Int(node)].total) }
  package func before(_ node: Int32) -> Double { totalBefore[Int(node)] }

  /// The change of a node is larger than chance explains: twice the standard deviation of the
  /// difference of two sums of independent events, whose variance grows with their sum, as that of
  /// a Poisson number does.
  package func isSignificant(_ node: Int32) -> Bool {
    let (before, after) = (before(node), after(node))
    let deviation = (before * variance.before + after * variance.after).squareRoot()
    return abs(after - before) >= 2 * deviation && after != before
  }

  /// Width of each node: the larger side, and never less than what is above it. In fractions of
  /// the unit of weight, since scaled weights are no integers, or in multiples where a conversion
  /// of units makes them too large for any sum.
  package func widths() -> [Int64] {
    let largest = max(Double(tree.nodes[0].total), totalBefore[0], 1)
    let resolution = min(256, 0x1p50 / largest)
    var above = [Int64](repeating: 0, count: tree.nodes.count)
    for index in tree.nodes.indices.reversed() {
      let side = max(Double(tree.nodes[index].total), totalBefore[index])
      above[index] = max(above[index], Int64((side * resolution).rounded()))
      if index > 0 { above[Int(tree.nodes[index].parent)] += above[index] }
    }
    return above
  }
}

extension Profile {
  /// Variance of a sum of weights, divided by that sum. For events that happen or do not it is the
  /// weight of one: 1 for samples that are counted, the period for `cpu/nanoseconds` and for bytes
  /// drawn one in so many. Where the estimates of a sampled heap come with their variances, it is
  /// what those say of all of them together. 0 for what was not sampled.
  fileprivate var varianceOfWeight: Double {
    guard let metric = heapMetric else {
      guard let period, period.type == valueType, period.value > 0 else { return 1 }
      return Double(period.value)
    }
    switch heap?.mode {
    case .full, .count: return 0
    case .sample: return metric.valueType.unit == "bytes" ? bytesVariance : countVariance
    case nil:
      guard let period else { return 0 }
      return valueType.unit == "bytes" ? Double(period.value) : 1
    }
  }

  private var bytesVariance: Double { ratio(of: \.bytesVariance, to: \.allocated.bytes) }
  private var countVariance: Double { ratio(of: \.countVariance, to: \.allocated.count) }

  private func ratio(
    of variance: KeyPath<HeapSite, Double>, to sum: KeyPath<HeapSite, Int64>
  ) -> Double {
    let sites = (heap?.sites ?? []).filter { $0.kind == heap?.viewedKind }
    let total = sites.reduce(0.0) { $0 + Double($1[keyPath: sum]) }
    return total > 0 ? sites.reduce(0.0) { $0 + $1[keyPath: variance] } / total : 1
  }
}
