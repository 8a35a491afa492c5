import ProfileModel

/// The heap of `docs/formats/report-json.md`.
struct HeapDocument: Encodable {
  struct Totals: Encodable {
    var allocated: Amount
    var freed: Amount
    var live: Amount
    var suppressed: Amount
    var temporary: Amount
    var failed: Int64
    var unknownFrees: Int64
    var reentrant: Int64
    var lost: Int64
    var truncated: Int64
    var allocationsPerSecond: Double?
  }
  struct Peak: Encodable {
    var pid: Int32
    var name: String
    var seconds: Double
    var amount: Amount
  }
  struct Suppression: Encodable {
    var rule: String
    var reason: String?
    var suppressed: Amount
  }
  struct Other: Encodable {
    var kind: String
    var allocated: Amount
    var live: Amount
    var sites: [Site]
  }
  struct Bucket: Encodable {
    var from: Int64
    var amount: Amount
  }

  var mode: String
  var interval: Int64?
  var totals: Totals
  var peak: Peak?
  var metrics: [String: Int64]
  var suppressions: [Suppression]
  var siteCount: Int
  var sites: [String: [Site]]
  var tree: HeapTree?
  var sizes: [Bucket]
  var lifetimes: [Bucket]
  var processes: [Process]
  var threads: [Thread]
  var otherMemory: [Other]
  var difference: Difference?
  var gate: [Condition]?

  init?(_ report: Report) {
    guard let heap = report.heap else { return nil }
    mode = heap.mode.name
    if case .sample(let bytes) = heap.mode { interval = bytes.rawValue }
    totals = Totals(heap)
    peak = heap.largest.map(Peak.init)
    metrics = Dictionary(
      uniqueKeysWithValues: HeapMetric.allCases.compactMap { metric in
        heap.total(metric).map { (metric.rawValue, $0) }
      })
    suppressions = heap.usedSuppressions.map {
      Suppression(
        rule: $0.rule.text, reason: $0.rule.reason, suppressed: Amount($0.amount))
    }
    siteCount = heap.sites.count
    sites = Dictionary(
      uniqueKeysWithValues: heap.metrics.map { metric in
        let rows = heap.sites(by: metric).prefix(report.options.rows)
        return (metric.rawValue, rows.map { Site($0, metric, of: heap.whole(metric), heap) })
      })
    tree = HeapTree(report)
    sizes = heap.sizes.buckets
    lifetimes = heap.lifetimes.buckets
    processes = heap.processes.map(Process.init)
    threads = heap.threads.map(Thread.init)
    otherMemory = heap.otherSites.sorted { $0.key.rawValue < $1.key.rawValue }.map {
      Other($0.key, $0.value, heap, limit: report.options.rows)
    }
    difference = report.difference.map { Difference($0, limit: report.options.rows) }
    gate = report.gate?.outcomes.map(Condition.init)
  }
}

extension HeapDocument.Totals {
  fileprivate init(_ heap: HeapReport) {
    let totals = heap.totals
    self.init(
      allocated: .init(totals.allocated), freed: .init(totals.freed), live: .init(heap.live),
      suppressed: .init(heap.suppressed), temporary: .init(totals.temporary),
      failed: totals.failed, unknownFrees: totals.unknownFrees, reentrant: totals.reentrant,
      lost: totals.lost, truncated: totals.truncated,
      allocationsPerSecond: heap.allocationsPerSecond)
  }
}

extension HeapDocument.Peak {
  fileprivate init(_ process: HeapReport.Process) {
    self.init(
      pid: process.pid, name: process.name, seconds: process.heap.peakTime.seconds,
      amount: .init(process.heap.peak))
  }
}

extension HeapDocument.Other {
  fileprivate init(
    _ kind: HeapSite.Kind, _ sites: [AllocationSite], _ heap: HeapReport, limit: Int
  ) {
    let sum = sites.reduce(into: SiteAmounts()) { $0 += $1.amounts }
    self.init(
      kind: kind.rawValue, allocated: .init(sum.allocated), live: .init(sum.live),
      sites: HeapReport.sorted(sites, by: .bytes).prefix(limit).map {
        HeapDocument.Site($0, .bytes, of: sum.allocated.bytes, heap)
      })
  }
}

extension [HeapAmount] {
  /// Those that are not empty.
  fileprivate var buckets: [HeapDocument.Bucket] {
    enumerated().filter { !$0.element.isZero }.map { exponent, amount in
      let from: Int64 = exponent == 0 ? 0 : exponent < 63 ? 1 << exponent : .max
      return HeapDocument.Bucket(from: from, amount: .init(amount))
    }
  }
}

extension HeapProfile.Mode {
  fileprivate var name: String {
    switch self {
    case .full: "full"
    case .sample: "sample"
    case .count: "count"
    }
  }
}
