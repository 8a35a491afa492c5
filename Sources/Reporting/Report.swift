package import ProfileModel

/// What a report says about one profile. Text and JSON are two ways to write the same report.
package struct Report: Sendable {
  package struct Options: Sendable {
    /// Rows of a table at most; nil for as many as fit together with the other tables.
    package var top: Int?
    /// One table of functions in this order; nil for one in each.
    package var order: FlatProfile.Order?
    /// The text shows the call tree.
    package var showsTree: Bool
    /// The text shows every thread.
    package var showsThreads: Bool
    /// Nodes of the call tree with a smaller share (0…1) are summed up.
    package var minimumTreeShare: Double
    /// The text shows what was allocated, by this metric only; nil for all there is.
    package var metric: HeapMetric?

    package init(
      top: Int? = nil, order: FlatProfile.Order? = nil, showsTree: Bool = false,
      showsThreads: Bool = false, minimumTreeShare: Double = 0.01, metric: HeapMetric? = nil
    ) {
      self.metric = metric
      self.top = top
      self.order = order
      self.showsTree = showsTree
      self.showsThreads = showsThreads
      self.minimumTreeShare = minimumTreeShare
    }

    /// Rows of most tables.
    var rows: Int { top ?? 15 }
    /// Rows of a table of sites, of which there is one for each metric.
    var siteRows: Int { top ?? (metric == nil ? 5 : 15) }
    /// The metric of the tree.
    var treeMetric: HeapMetric { metric ?? .peak }
  }

  /// Where the profile was read from, as the user would name it.
  let source: String
  let options: Options
  let provenance: Provenance
  let losses: Losses
  let valueType: ValueType
  let period: Period?
  let quantities: Quantities
  let flat: FlatProfile
  let tree: CallTree
  let completeness: Completeness
  let processes: [ProcessRow]
  /// Nil when allocations were not tracked.
  let heap: HeapReport?
  /// The calls that lead to what the metric of the options counts.
  let heapTree: CallTree?
  private(set) var difference: HeapDifference?
  /// Nil before ``check(_:)``.
  package private(set) var gate: Gate?

  /// `suppressions` are of leaks.
  package init(
    _ profile: Profile, source: String, options: Options = Options(),
    suppressions: Suppressions = Suppressions()
  ) {
    let totals = StackTotals(profile)
    self.source = source
    self.options = options
    provenance = profile.provenance
    losses = profile.losses
    valueType = profile.valueType
    period = profile.period
    quantities = Quantities(profile)
    flat = FlatProfile(profile, totals: totals)
    tree = CallTree(profile, totals: totals, minimumShare: options.minimumTreeShare)
    completeness = Completeness(profile, totals: totals)
    processes = ProcessTotals(profile).processes.map { ProcessRow($0, profile) }
    heap = HeapReport(profile, suppressions: suppressions)
    heapTree = heap.map { _ in
      CallTree(profile.view(of: options.treeMetric), minimumShare: options.minimumTreeShare)
    }
  }

  /// Adds what changed from `base` to `profile`, of which this report is. `source` names the base.
  package mutating func compare(
    _ profile: Profile, with base: Profile, source: String, suppressions: Suppressions
  ) throws(ReportingError) {
    guard let heap else { throw .noHeap(source: self.source) }
    guard let baseHeap = HeapReport(base, suppressions: suppressions) else {
      throw .noHeap(source: source)
    }
    difference = HeapDifference(
      base: (base, baseHeap), source: source, current: (profile, heap))
  }

  /// Judges the run by `conditions`, against the base where they are about one.
  package mutating func check(_ conditions: [GateCondition]) throws(ReportingError) {
    guard let heap else { throw .noHeap(source: source) }
    gate = try Gate(conditions, heap, base: difference?.base)
  }

  /// A process image with its names.
  struct ProcessRow: Sendable {
    let pid: Int32
    let parentPID: Int32
    let name: String
    let tally: Tally
    let threads: [ThreadRow]

    init(_ total: ProcessTotals.Process, _ profile: Profile) {
      let image = profile.processes[total.image]
      pid = image.pid
      parentPID = image.parentPID
      name = profile.strings[image.name]
      tally = total.tally
      threads = total.threads.map { ThreadRow($0, profile) }
    }
  }

  struct ThreadRow: Sendable {
    let tid: Int32
    let name: String
    let tally: Tally

    init(_ total: ProcessTotals.Thread, _ profile: Profile) {
      let info = profile.threads[total.thread]
      tid = info.tid
      name = profile.strings[info.name]
      tally = total.tally
    }
  }

  var total: Tally { flat.total }

  /// The number of samples taken; nil when the profile holds sums over unknown numbers of them.
  var sampleCount: Int? { flat.effectiveSamples == nil && total.samples > 0 ? nil : total.samples }

  /// Samples were taken, or wanted.
  var hasSamples: Bool { heap == nil || total.samples > 0 || provenance.requestedRate > 0 }

  func share(_ tally: Tally) -> Share { flat.share(of: tally) }

  /// In the unit that suits the whole profile, so that the numbers of a column compare.
  func weight(_ tally: Tally) -> String {
    let scale = quantities.scale(for: Double(total.weight))
    let weight = Double(tally.weight)
    return quantities.areCounts ? scale.number(weight) : scale.text(weight)
  }

  /// Time on a CPU for which the samples stand.
  var sampledCPUTime: Nanoseconds? {
    guard let period, period.type == Period.cpu(Nanoseconds(0)).type else { return nil }
    let (product, overflow) = total.weight.multipliedReportingOverflow(by: period.value)
    return overflow ? nil : Nanoseconds(product)
  }

  /// Sampled CPU time as a part of what the kernel counted. Nil when the samples stand for clearly
  /// more: the kernel's count leaves out processes that the command did not wait for.
  var coverage: Double? {
    guard let sampledCPUTime, let counted = provenance.cpuTime, counted.rawValue > 0 else {
      return nil
    }
    let coverage = Double(sampledCPUTime.rawValue) / Double(counted.rawValue)
    return coverage > 1.1 ? nil : coverage
  }

  /// The tables of functions to show.
  var orders: [FlatProfile.Order] { options.order.map { [$0] } ?? FlatProfile.Order.allCases }

  /// The functions that have any weight of that kind, in its order.
  func functions(by order: FlatProfile.Order) -> [FlatProfile.Entry] {
    flat.functions(by: order).filter { !(order == .flat ? $0.flat : $0.cumulative).isZero }
  }
}
