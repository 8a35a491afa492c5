import ProfileModel

/// What one or more sites of a heap profile allocated, and what became of it.
///
/// Sums stop at the ends of `Int64` instead of trapping: amounts may come from a file.
struct SiteAmounts: Hashable, Sendable {
  var allocated = HeapAmount()
  var freed = HeapAmount()
  var atPeak = HeapAmount()
  var temporary = HeapAmount()
  /// Live at the end and expected, see ``Suppressions``.
  var suppressed = HeapAmount()
  var drawn: Int64 = 0
  var countVariance = 0.0
  var bytesVariance = 0.0

  init() {}

  init(_ site: HeapSite, isSuppressed: Bool) {
    allocated = site.allocated
    freed = site.freed
    atPeak = site.atPeak
    temporary = site.temporary
    if isSuppressed { suppressed = site.live }
    drawn = site.drawn
    countVariance = site.countVariance
    bytesVariance = site.bytesVariance
  }

  /// Not freed.
  var live: HeapAmount { allocated.adding(freed, times: -1) }

  /// Not freed, and not suppressed.
  var leaked: HeapAmount { live.adding(suppressed, times: -1) }

  /// Blocks and bytes of the kind that `metric` is about.
  func amount(_ metric: HeapMetric) -> HeapAmount {
    switch metric {
    case .allocs, .bytes: allocated
    case .peak: atPeak
    case .leaked: leaked
    case .temporary: temporary
    }
  }

  /// What `metric` counts: allocations or bytes.
  func value(_ metric: HeapMetric) -> Int64 {
    metric.countsBytes ? amount(metric).bytes : amount(metric).count
  }

  /// Half of the 95 % interval of ``value(_:)`` in a sampled profile.
  ///
  /// The variance is known for what was allocated. Of a part of it, such as what is live, it is
  /// taken to be the part of the variance that it is of the blocks.
  func margin(_ metric: HeapMetric) -> Double {
    let variance = metric.countsBytes ? bytesVariance : countVariance
    let part =
      allocated.count > 0
      ? Double(amount(metric).count) / Double(allocated.count) : 1
    return 1.959964 * (max(0, variance) * min(max(part, 0), 1)).squareRoot()
  }

  static func += (a: inout Self, b: Self) {
    a.allocated = a.allocated.adding(b.allocated)
    a.freed = a.freed.adding(b.freed)
    a.atPeak = a.atPeak.adding(b.atPeak)
    a.temporary = a.temporary.adding(b.temporary)
    a.suppressed = a.suppressed.adding(b.suppressed)
    a.drawn = a.drawn.addingUpTo(b.drawn)
    a.countVariance += b.countVariance
    a.bytesVariance += b.bytesVariance
  }
}

extension HeapMetric {
  /// Its figures are bytes, and else allocations.
  var countsBytes: Bool {
    switch self {
    case .bytes, .peak, .leaked: true
    case .allocs, .temporary: false
    }
  }
}

extension HeapAmount {
  func adding(_ other: HeapAmount, times factor: Int64 = 1) -> HeapAmount {
    HeapAmount(
      count: count.addingUpTo(other.count.multipliedUpTo(factor)),
      bytes: bytes.addingUpTo(other.bytes.multipliedUpTo(factor)))
  }

  var isZero: Bool { count == 0 && bytes == 0 }
}

extension Int64 {
  /// The sum, or the end of the range that it would pass.
  func addingUpTo(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }

  fileprivate func multipliedUpTo(_ factor: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: factor)
    return overflow ? ((self < 0) == (factor < 0) ? .max : .min) : product
  }
}
