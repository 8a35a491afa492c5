import ProfileModel

/// Finds the sites whose leaks are suppressed.
struct SuppressionSearch {
  private let suppressions: Suppressions
  private let names: CallerNames

  init(_ suppressions: Suppressions, names: CallerNames) {
    self.suppressions = suppressions
    self.names = names
  }

  /// For sites of blocks with leaks, by position in the profile: the position of the first rule
  /// that matches the function, the source file or the module of any of its frames.
  func suppressedSites(of heap: HeapProfile) -> [Int: Int] {
    guard !suppressions.rules.isEmpty else { return [:] }
    var known: [String: Int] = [:]
    var found: [Int: Int] = [:]
    for (index, site) in heap.sites.enumerated() where site.kind == .block && !site.live.isZero {
      let texts = names.functions(of: site.stack).flatMap { frame in
        [frame.name, frame.file ?? "", frame.module]
      }
      let rule = texts.lazy.map { firstRule(matching: $0, &known) }.min()
      if let rule, rule < suppressions.rules.count { found[index] = rule }
    }
    return found
  }

  /// The number of rules where none matches.
  private func firstRule(matching text: String, _ known: inout [String: Int]) -> Int {
    guard !text.isEmpty else { return suppressions.rules.count }
    if let rule = known[text] { return rule }
    let rule =
      suppressions.rules.firstIndex { $0.pattern.matches(text) } ?? suppressions.rules.count
    known[text] = rule
    return rule
  }

  /// The rules that suppressed something, by bytes descending, then in their own order.
  func usedRules(_ suppressed: [Int: Int], of heap: HeapProfile) -> [HeapReport.SuppressedLeaks] {
    var amounts: [Int: HeapAmount] = [:]
    for (site, rule) in suppressed {
      amounts[rule] = (amounts[rule] ?? HeapAmount()).adding(heap.sites[site].live)
    }
    return amounts.sorted { a, b in
      a.value.bytes == b.value.bytes ? a.key < b.key : a.value.bytes > b.value.bytes
    }.map { HeapReport.SuppressedLeaks(rule: suppressions.rules[$0.key], amount: $0.value) }
  }
}
