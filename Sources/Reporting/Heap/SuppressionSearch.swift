import ProfileModel

/// Finds the sites whose leaks are suppressed.
struct SuppressionSearch {
  private let rules: [Suppressions.Rule]
  private let names: CallerNames

  init(_ suppressions: Suppressions, names: CallerNames) {
    rules = suppressions.rules
    self.names = names
  }

  /// For sites of blocks with leaks, by position in the profile: the position of the first rule
  /// that matches.
  func suppressedSites(of heap: HeapProfile) -> [Int: Int] {
    guard !rules.isEmpty else { return [:] }
    var known: [Text: Int] = [:]
    var found: [Int: Int] = [:]
    for (index, site) in heap.sites.enumerated() where site.kind == .block && !site.live.isZero {
      let texts = texts(names.functions(of: site.stack))
      let rule = texts.lazy.map { firstRule(matching: $0, &known) }.min()
      if let rule, rule < rules.count { found[index] = rule }
    }
    return found
  }

  private struct Text: Hashable {
    var scope: Suppressions.Rule.Scope
    var text: String
  }

  /// What rules may match in a stack.
  private func texts(_ frames: [Frame]) -> [Text] {
    let names = frames.flatMap { [$0.name, $0.file ?? "", $0.module] }
    let constructors = zip(frames, frames.dropFirst()).filter { called, caller in
      Self.isDynamicLinker(caller.module) && !Self.isDynamicLinker(called.module)
    }
    return names.map { Text(scope: .anyFrame, text: $0) }
      + constructors.map { Text(scope: .constructor, text: $0.0.module) }
  }

  private static func isDynamicLinker(_ module: String) -> Bool {
    Profile.basename(module).hasPrefix("ld-linux")
  }

  /// The number of rules where none matches.
  private func firstRule(matching text: Text, _ known: inout [Text: Int]) -> Int {
    guard !text.text.isEmpty else { return rules.count }
    if let rule = known[text] { return rule }
    let rule =
      rules.firstIndex { $0.scope == text.scope && $0.pattern.matches(text.text) } ?? rules.count
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
    }.map { HeapReport.SuppressedLeaks(rule: rules[$0.key], amount: $0.value) }
  }
}
