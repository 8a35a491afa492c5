import ProfileModel

/// What a report says about the heap of a profile.
struct HeapReport: Sendable {
  /// Of blocks, in all processes together.
  struct Totals: Sendable {
    var allocated = HeapAmount()
    var freed = HeapAmount()
    var temporary = HeapAmount()
    var failed: Int64 = 0
    var unknownFrees: Int64 = 0
    var reentrant: Int64 = 0
    var lost: Int64 = 0
    var truncated: Int64 = 0
    /// Of each process at its own time.
    var peaks = HeapAmount()
  }

  let mode: HeapProfile.Mode
  let totals: Totals
  /// By peak descending, then bytes allocated, then pid.
  let processes: [Process]
  /// By allocations descending, then tid.
  let threads: [Thread]
  /// Of blocks; empty in mode `count`.
  let sites: [AllocationSite]
  /// Of mappings and growth of the program break, which the program asked for itself.
  let otherSites: [HeapSite.Kind: [AllocationSite]]
  /// Sums over ``sites``.
  let siteTotals: SiteAmounts
  /// Positions in ``HeapProfile/sites``.
  let suppressedSites: Set<Int>
  let usedSuppressions: [SuppressedLeaks]
  let sizes: [HeapAmount]
  let lifetimes: [HeapAmount]
  /// Allocations a second of the whole run; nil when it is not known how long that was.
  let allocationsPerSecond: Double?
  let names: CallerNames

  struct Process: Sendable {
    let pid: Int32
    let name: String
    let heap: HeapProcess
  }

  struct Thread: Sendable {
    let pid: Int32
    let tid: Int32
    let name: String
    let program: String
    let heap: HeapThread
  }

  /// What one rule suppressed.
  struct SuppressedLeaks: Sendable {
    let rule: Suppressions.Rule
    var amount = HeapAmount()
  }

  /// Nil when `profile` has no heap.
  init?(_ profile: Profile, suppressions: Suppressions) {
    guard let heap = profile.heap?.asItsModeKnows else { return nil }
    mode = heap.mode
    names = CallerNames(profile)
    let search = SuppressionSearch(suppressions, names: names)
    let suppressed = search.suppressedSites(of: heap)
    usedSuppressions = search.usedRules(suppressed, of: heap)
    suppressedSites = Set(suppressed.keys)
    sites = AllocationSite.all(
      .block, in: heap, of: profile, names: names, suppressed: suppressedSites)
    var others: [HeapSite.Kind: [AllocationSite]] = [:]
    for kind in HeapSite.Kind.allCases where kind != .block {
      let found = AllocationSite.all(kind, in: heap, of: profile, names: names, suppressed: [])
      if !found.isEmpty { others[kind] = found }
    }
    otherSites = others
    siteTotals = sites.reduce(into: SiteAmounts()) { $0 += $1.amounts }
    processes = Self.processes(heap, profile)
    threads = Self.threads(heap, profile)
    let totals = Self.totals(heap)
    self.totals = totals
    sizes = Self.histogram(heap.processes.map(\.sizes))
    lifetimes = Self.histogram(heap.processes.map(\.lifetimes))
    let seconds = profile.provenance.duration.seconds
    allocationsPerSecond = seconds > 0 ? Double(totals.allocated.count) / seconds : nil
  }

  private static func processes(_ heap: HeapProfile, _ profile: Profile) -> [Process] {
    heap.processes.map { row in
      let image = profile.processes[row.process]
      return Process(pid: image.pid, name: profile.strings[image.name], heap: row)
    }.sorted { a, b in
      let first = (a.heap.peak.bytes, a.heap.allocated.bytes)
      let second = (b.heap.peak.bytes, b.heap.allocated.bytes)
      return first == second ? a.pid < b.pid : first > second
    }
  }

  private static func threads(_ heap: HeapProfile, _ profile: Profile) -> [Thread] {
    heap.threads.map { row in
      let info = profile.threads[row.thread]
      let image = profile.processes[info.process]
      return Thread(
        pid: image.pid, tid: info.tid, name: profile.strings[info.name],
        program: profile.strings[image.name], heap: row)
    }.sorted { a, b in
      let (first, second) = (a.heap.allocated.count, b.heap.allocated.count)
      return first == second ? (a.tid, a.pid) < (b.tid, b.pid) : first > second
    }
  }

  private static func totals(_ heap: HeapProfile) -> Totals {
    heap.processes.reduce(into: Totals()) { sum, process in
      sum.allocated = sum.allocated.adding(process.allocated)
      sum.freed = sum.freed.adding(process.freed)
      sum.temporary = sum.temporary.adding(process.temporary)
      sum.peaks = sum.peaks.adding(process.peak)
      sum.failed = sum.failed.addingUpTo(process.failed)
      sum.unknownFrees = sum.unknownFrees.addingUpTo(process.unknownFrees)
      sum.reentrant = sum.reentrant.addingUpTo(process.reentrant)
      sum.lost = sum.lost.addingUpTo(process.lost)
      sum.truncated = sum.truncated.addingUpTo(process.truncated)
    }
  }

  private static func histogram(_ all: [[HeapAmount]]) -> [HeapAmount] {
    all.reduce(into: []) { sum, one in
      if one.count > sum.count {
        sum += Array(repeating: HeapAmount(), count: one.count - sum.count)
      }
      for (bucket, amount) in one.enumerated() { sum[bucket] = sum[bucket].adding(amount) }
    }
  }
}

extension HeapReport {
  /// The process whose heap grew largest; nil where no peak is known.
  var largest: Process? { processes.first { $0.heap.peak.bytes > 0 } }

  /// Blocks not freed; their bytes are known where the mode knows sites.
  var live: HeapAmount {
    let counted = totals.allocated.adding(totals.freed, times: -1)
    return mode == .full
      ? counted : HeapAmount(count: counted.count, bytes: siteTotals.live.bytes)
  }

  /// ``live`` without what suppressions expect. In a sampled profile blocks are estimated as well:
  /// those that are suppressed are.
  var leaked: HeapAmount {
    isSampled ? siteTotals.leaked : live.adding(suppressed, times: -1)
  }

  /// Of ``live``, what suppressions expect.
  var suppressed: HeapAmount { siteTotals.suppressed }

  /// The metrics that this recording has sites for.
  var metrics: [HeapMetric] { sites.isEmpty ? [] : HeapMetric.allCases }

  /// The figure for the whole run; nil where it is not known.
  func total(_ metric: HeapMetric) -> Int64? {
    switch metric {
    case .allocs: return totals.allocated.count
    case .bytes: return totals.allocated.bytes
    case .temporary: return mode == .count ? nil : totals.temporary.count
    case .peak: return mode == .count ? nil : largest?.heap.peak.bytes ?? 0
    case .leaked: return mode == .count ? nil : leaked.bytes
    }
  }

  /// What the shares of sites are of. Peaks are those of all processes together.
  func whole(_ metric: HeapMetric) -> Int64 {
    metric == .peak ? totals.peaks.bytes : total(metric) ?? 0
  }

  /// The sites with any of `metric`, largest first, then by name.
  func sites(by metric: HeapMetric) -> [AllocationSite] {
    Self.sorted(sites, by: metric)
  }

  static func sorted(_ sites: [AllocationSite], by metric: HeapMetric) -> [AllocationSite] {
    sites.filter { $0.amounts.value(metric) > 0 }.sorted { a, b in
      let (first, second) = (a.amounts.value(metric), b.amounts.value(metric))
      return first == second ? AllocationSite.Key.inOrder(a.key, b.key) : first > second
    }
  }
}

extension HeapProfile {
  /// Without what a recording of totals only has by chance.
  fileprivate var asItsModeKnows: HeapProfile {
    guard mode == .count else { return self }
    var copy = self
    copy.sites = []
    for index in copy.processes.indices {
      copy.processes[index].peak = HeapAmount()
      copy.processes[index].temporary = HeapAmount()
      copy.processes[index].sizes = []
      copy.processes[index].lifetimes = []
      copy.processes[index].timeline = HeapTimeline()
      copy.processes[index].residency?.heap = Bytes(0)
    }
    return copy
  }
}
