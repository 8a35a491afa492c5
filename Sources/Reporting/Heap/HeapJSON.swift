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
        return (metric.rawValue, rows.map { Site($0, metric, heap) })
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

extension HeapDocument {
  struct Amount: Encodable {
    var count: Int64
    var bytes: Int64
    init(_ amount: HeapAmount) {
      count = amount.count
      bytes = amount.bytes
    }
  }

  struct Frame: Encodable {
    var name: String
    var module: String
    var file: String?
    var line: Int32?
    init(_ frame: ProfileModel.Frame) {
      name = frame.name
      module = frame.module
      file = frame.file
      line = frame.line > 0 ? frame.line : nil
    }
  }

  struct Site: Encodable {
    var program: String
    var value: Int64
    var share: Double
    /// Half of the 95 % interval of `value`.
    var margin: Double?
    var drawn: Int64?
    var allocated: Amount
    var freed: Amount
    var atPeak: Amount
    var live: Amount
    var suppressed: Amount
    var temporary: Amount
    var paths: Int
    var callers: [Frame]

    init(_ site: AllocationSite, _ metric: HeapMetric, _ heap: HeapReport) {
      let amounts = site.amounts
      program = site.key.program
      value = amounts.value(metric)
      share = Share(value, of: heap.whole(metric), samples: nil).value
      if heap.isSampled {
        margin = amounts.margin(metric)
        drawn = amounts.drawn
      }
      allocated = Amount(amounts.allocated)
      freed = Amount(amounts.freed)
      atPeak = Amount(amounts.atPeak)
      live = Amount(amounts.live)
      suppressed = Amount(amounts.suppressed)
      temporary = Amount(amounts.temporary)
      paths = site.stacks.count { $0.amounts.value(metric) > 0 }
      callers = heap.names.callers(of: site.mainStack(by: metric)).map(Frame.init)
    }
  }

  struct Process: Encodable {
    struct Residency: Encodable {
      var seconds: Double
      var total: Int64
      var parts: [String: Int64]
    }
    struct Timeline: Encodable {
      var startSeconds: Double
      var stepSeconds: Double
      var largest: [Int64]
      var live: [Int64]
      var resident: [Int64]
      var allocations: [Int64]
    }
    var pid: Int32
    var name: String
    var allocated: Amount
    var freed: Amount
    var temporary: Amount
    var peak: Amount
    var peakSeconds: Double
    var failed: Int64
    var unknownFrees: Int64
    var reentrant: Int64
    var lost: Int64
    var truncated: Int64
    var untracked: String?
    var residency: Residency?
    var timeline: Timeline?

    init(_ process: HeapReport.Process) {
      let heap = process.heap
      pid = process.pid
      name = process.name
      allocated = Amount(heap.allocated)
      freed = Amount(heap.freed)
      temporary = Amount(heap.temporary)
      peak = Amount(heap.peak)
      peakSeconds = heap.peakTime.seconds
      failed = heap.failed
      unknownFrees = heap.unknownFrees
      reentrant = heap.reentrant
      lost = heap.lost
      truncated = heap.truncated
      untracked = heap.untracked
      residency = heap.residency.map(Residency.init)
      timeline = heap.timeline.steps.isEmpty ? nil : Timeline(heap.timeline)
    }
  }

  struct Thread: Encodable {
    var pid: Int32
    var tid: Int32
    var name: String
    var allocated: Amount
    var freed: Amount
    var temporary: Amount

    init(_ thread: HeapReport.Thread) {
      pid = thread.pid
      tid = thread.tid
      name = thread.name
      allocated = Amount(thread.heap.allocated)
      freed = Amount(thread.heap.freed)
      temporary = Amount(thread.heap.temporary)
    }
  }

  /// Nodes from the root down, each with its depth.
  struct HeapTree: Encodable {
    struct Node: Encodable {
      var depth: Int
      var name: String
      var module: String
      var own: Int64
      var cumulative: Int64

      private enum CodingKeys: String, CodingKey {
        case depth, name, module, cumulative
        case own = "self"
      }
    }
    var metric: String
    var minimumShare: Double
    var nodes: [Node] = []

    init?(_ report: Report) {
      guard let tree = report.heapTree, !tree.roots.isEmpty else { return nil }
      metric = report.options.treeMetric.rawValue
      minimumShare = report.options.minimumTreeShare
      var pending = tree.roots.reversed().map { (place: $0, depth: 0) }
      while let next = pending.popLast() {
        let node = tree.nodes[next.place]
        nodes.append(
          Node(
            depth: next.depth, name: node.function.name, module: node.function.module,
            own: node.flat.weight, cumulative: node.cumulative.weight))
        pending += node.children.reversed().map { (place: $0, depth: next.depth + 1) }
      }
    }
  }

  struct Difference: Encodable {
    struct Total: Encodable {
      var base: Int64
      var current: Int64
    }
    struct Change: Encodable {
      var change: String
      var program: String
      var base: Int64
      var current: Int64
      var margin: Double?
      var callers: [Frame]
    }
    var base: String
    var totals: [String: Total]
    var siteCounts: [String: Int]
    var sites: [String: [Change]]

    init(_ difference: HeapDifference, limit: Int) {
      base = difference.source
      totals = [:]
      siteCounts = [:]
      sites = [:]
      for metric in HeapMetric.allCases {
        let name = metric.rawValue
        if let base = difference.base.total(metric),
          let current = difference.current.total(metric)
        {
          totals[name] = Total(base: base, current: current)
        }
        let changes = difference.changes(of: metric)
        siteCounts[name] = changes.count
        sites[name] = changes.prefix(limit).map { row in
          Change(
            change: row.change.rawValue, program: row.site.program, base: row.base,
            current: row.current, margin: difference.isSampled ? row.margin : nil,
            callers: difference.frames(row.callers).map(Frame.init))
        }
      }
    }
  }

  struct Condition: Encodable {
    var condition: String
    var metric: String
    var result: String
    var value: Int64?
    var base: Int64?
    var limit: Double?
    var reason: String?

    init(_ outcome: Gate.Outcome) {
      condition = outcome.condition.text
      metric = outcome.condition.metric.rawValue
      result = outcome.word
      value = outcome.value
      base = outcome.base
      if case .notMeasured(let obstacle) = outcome.result {
        reason = obstacle.message(outcome.condition.metric)
      } else {
        limit = outcome.condition.limit(base: outcome.base ?? 0)
      }
    }
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
        HeapDocument.Site($0, .bytes, heap)
      })
  }
}

extension HeapDocument.Process.Residency {
  fileprivate init(_ residency: HeapResidency) {
    self.init(
      seconds: residency.time.seconds, total: residency.total,
      parts: Dictionary(
        uniqueKeysWithValues: residency.parts.map { ($0.part.rawValue, $0.bytes) }))
  }
}

extension HeapDocument.Process.Timeline {
  fileprivate init(_ timeline: HeapTimeline) {
    self.init(
      startSeconds: timeline.start.seconds, stepSeconds: timeline.width.seconds,
      largest: timeline.steps.map(\.largest), live: timeline.steps.map(\.live),
      resident: timeline.steps.map(\.resident), allocations: timeline.steps.map(\.allocations))
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
