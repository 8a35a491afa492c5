import ProfileModel

/// What one line of one function allocated, in all processes of one name.
struct AllocationSite: Sendable {
  struct Key: Hashable, Sendable {
    var program: String
    /// Nil where the stack is unknown.
    var caller: Caller?
  }
  /// The function that called the allocator, and the line that did.
  struct Caller: Hashable, Sendable {
    var function: String
    var module: String
    var file: String?
    var line: Int32

    init(_ frame: Frame) {
      function = frame.name
      module = frame.module
      file = frame.file
      line = frame.line
    }
  }

  var key: Key
  var amounts = SiteAmounts()
  /// Distinct stacks with their amounts.
  var stacks: [(stack: ID<StackNode>?, amounts: SiteAmounts)] = []

  /// The stack with most of `metric`; the first of equal ones.
  func mainStack(by metric: HeapMetric) -> ID<StackNode>? {
    var best = stacks.first
    for next in stacks.dropFirst()
    where next.amounts.value(metric) > best?.amounts.value(metric) ?? 0 {
      best = next
    }
    return best?.stack
  }

  /// In order of arrival; `suppressed` are positions in ``HeapProfile/sites``.
  static func all(
    _ kind: HeapSite.Kind, in heap: HeapProfile, of profile: Profile, names: CallerNames,
    suppressed: Set<Int>
  ) -> [AllocationSite] {
    var positions: [Key: Int] = [:]
    var sites: [AllocationSite] = []
    for (index, row) in heap.sites.enumerated() where row.kind == kind {
      let name = profile.processes[row.process].name
      let key = Key(
        program: profile.strings[name],
        caller: names.callers(of: row.stack, atMost: 1).first.map(Caller.init))
      let position = positions[key] ?? sites.count
      if position == sites.count {
        positions[key] = position
        sites.append(AllocationSite(key: key))
      }
      let amounts = SiteAmounts(row, isSuppressed: suppressed.contains(index))
      sites[position].amounts += amounts
      sites[position].stacks.append((row.stack, amounts))
    }
    return sites
  }
}

extension AllocationSite.Key {
  /// A fixed order among equals.
  static func inOrder(_ a: Self, _ b: Self) -> Bool {
    func words(_ key: Self) -> [String] {
      [key.caller?.function ?? "", key.caller?.module ?? "", key.caller?.file ?? "", key.program]
    }
    let (first, second) = (words(a), words(b))
    if first == second { return a.caller?.line ?? 0 < b.caller?.line ?? 0 }
    return first.lexicographicallyPrecedes(second)
  }
}
