import ProfileModel

/// What changed between the heaps of two profiles, function by function.
struct HeapDifference: Sendable {
  /// The base as its user named it.
  let source: String
  let base: HeapReport
  let current: HeapReport
  /// Functions that called the allocator in either profile.
  let sites: [Site]

  struct Site: Sendable {
    let program: String
    let function: SharedStacks.Function
    fileprivate(set) var base = SiteAmounts()
    fileprivate(set) var current = SiteAmounts()
    fileprivate(set) var stacks: [Stack] = []
  }

  /// One stack of functions.
  struct Stack: Sendable {
    fileprivate(set) var base = SiteAmounts()
    fileprivate(set) var current = SiteAmounts()
    /// From the function that called the allocator to the root, in the current profile where it
    /// is there.
    fileprivate(set) var callers: Callers = Callers()
  }

  /// A stack of either profile, whose names are looked up when they are shown.
  struct Callers: Hashable, Sendable {
    var stack: ID<StackNode>?
    var isCurrent = false
  }

  enum Change: String, Sendable {
    case new
    case gone
    case more
    case less
    /// As much as before, by other callers.
    case moved
  }

  init(
    base: (profile: Profile, report: HeapReport), source: String,
    current: (profile: Profile, report: HeapReport)
  ) {
    self.source = source
    self.base = base.report
    self.current = current.report
    var matching = StackMatching()
    // Against mere totals every site would be new.
    guard base.report.mode != .count, current.report.mode != .count else {
      sites = []
      return
    }
    matching.add(base.profile, base.report, isCurrent: false)
    matching.add(current.profile, current.report, isCurrent: true)
    sites = matching.sites
  }

  /// Sums up the sites of both profiles by their functions.
  private struct StackMatching {
    private struct SiteKey: Hashable {
      var program: String
      var function: SharedStacks.Function
    }
    private struct StackKey: Hashable {
      var site: Int
      var number: Int
    }
    private(set) var sites: [Site] = []
    private var positions: [SiteKey: Int] = [:]
    private var stackPositions: [StackKey: Int] = [:]
    private var stacks = SharedStacks()

    mutating func add(_ profile: Profile, _ report: HeapReport, isCurrent: Bool) {
      let numbers = stacks.numbers(of: profile)
      for (index, row) in (profile.heap?.sites ?? []).enumerated() where row.kind == .block {
        let frame = report.names.callers(of: row.stack, atMost: 1).first
        let key = SiteKey(
          program: profile.strings[profile.processes[row.process].name],
          function: frame.map(SharedStacks.Function.init) ?? .init(name: "", module: ""))
        let site = position(of: key)
        let number = row.stack.map { numbers[$0.index] } ?? SharedStacks.root
        let stack = position(of: StackKey(site: site, number: number))
        let amounts = SiteAmounts(row, isSuppressed: report.suppressedSites.contains(index))
        if isCurrent {
          sites[site].current += amounts
          sites[site].stacks[stack].current += amounts
        } else {
          sites[site].base += amounts
          sites[site].stacks[stack].base += amounts
        }
        sites[site].stacks[stack].callers = Callers(stack: row.stack, isCurrent: isCurrent)
      }
    }

    private mutating func position(of key: SiteKey) -> Int {
      if let known = positions[key] { return known }
      positions[key] = sites.count
      sites.append(Site(program: key.program, function: key.function))
      return sites.count - 1
    }

    private mutating func position(of key: StackKey) -> Int {
      if let known = stackPositions[key] { return known }
      let position = sites[key.site].stacks.count
      stackPositions[key] = position
      sites[key.site].stacks.append(Stack())
      return position
    }
  }
}

extension HeapDifference {
  /// A site whose `metric` changed.
  struct ChangedSite: Sendable {
    let site: Site
    let base: Int64
    let current: Int64
    let change: Change
    /// Half the 95 % interval of the difference, in sampled profiles.
    let margin: Double
    /// The stack that changed most.
    let callers: Callers

    var difference: Int64 { current.addingUpTo(base == .min ? .max : -base) }
  }

  /// By the size of the change, then by name. In sampled profiles only what chance does not
  /// explain.
  func changes(of metric: HeapMetric) -> [ChangedSite] {
    sites.compactMap { changed($0, metric) }.filter { !isSampled || $0.isCertain }.sorted { a, b in
      let (first, second) = (a.difference.magnitude, b.difference.magnitude)
      let (one, other) = (a.site.function, b.site.function)
      return first == second
        ? (one.name, one.module, a.site.program) < (other.name, other.module, b.site.program)
        : first > second
    }
  }

  var isSampled: Bool {
    if case .sample = base.mode { return true }
    if case .sample = current.mode { return true }
    return false
  }

  private func changed(_ site: Site, _ metric: HeapMetric) -> ChangedSite? {
    let (before, after) = (site.base.value(metric), site.current.value(metric))
    let stacks = site.stacks.filter { $0.base.value(metric) != $0.current.value(metric) }
    guard !stacks.isEmpty else { return nil }
    // Of equal ones that which the current profile has.
    let most = stacks.max { a, b in
      let (first, second) = (abs(a.difference(metric)), abs(b.difference(metric)))
      return first == second ? !a.callers.isCurrent && b.callers.isCurrent : first < second
    }
    let (baseMargin, margin) = (site.base.margin(metric), site.current.margin(metric))
    return ChangedSite(
      site: site, base: before, current: after, change: Change(from: before, to: after),
      margin: (baseMargin * baseMargin + margin * margin).squareRoot(),
      callers: most?.callers ?? Callers())
  }

  /// The functions of a stack, from the one that called the allocator to the root.
  func frames(_ callers: Callers, atMost limit: Int = .max) -> [Frame] {
    (callers.isCurrent ? current : base).names.callers(of: callers.stack, atMost: limit)
  }
}

extension HeapDifference.ChangedSite {
  fileprivate var isCertain: Bool { Double(difference.magnitude) > margin }
}

extension HeapDifference.Stack {
  fileprivate func difference(_ metric: HeapMetric) -> Double {
    Double(current.value(metric)) - Double(base.value(metric))
  }
}

extension HeapDifference.Change {
  fileprivate init(from base: Int64, to current: Int64) {
    switch (base, current) {
    case _ where base == current: self = .moved
    case (0, _): self = .new
    case (_, 0): self = .gone
    default: self = base < current ? .more : .less
    }
  }
}
