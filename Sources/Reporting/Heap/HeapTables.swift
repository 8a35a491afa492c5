import ProfileModel

extension ReportContent {
  var heapSections: [ReportSection] {
    guard let heap = report.heap else { return [] }
    let metrics = report.options.metric.map { [$0] } ?? HeapMetric.allCases
    var sections = [heapFacts(heap)]
    if let difference = report.difference {
      // Those behind a condition that failed follow it.
      let others = metrics.filter { !explained.contains($0) }
      sections += [totalsTable(difference)] + others.map { changesTable(difference, $0) }
    } else {
      sections += metrics.map { sitesTable(heap, $0) }
      if report.options.showsTree { sections += heapTree }
      if report.options.metric == nil { sections += overviews(heap) }
      sections.append(suppressionsTable(heap))
    }
    if let gate = report.gate { sections += gateSections(gate, heap) }
    return sections
  }

  /// Metrics whose changes are shown with a condition.
  private var explained: Set<HeapMetric> {
    let failed = (report.gate?.outcomes ?? []).filter {
      $0.result == .failed && $0.condition.isRelative
    }
    return Set(failed.map(\.condition.metric))
  }

  /// What is not about one metric.
  private func overviews(_ heap: HeapReport) -> [ReportSection] {
    var sections = [
      histogram(heap.sizes, "Sizes", of: "size", SizeBuckets.self),
      histogram(heap.lifetimes, "Lifetimes", of: "lifetime", LifetimeBuckets.self),
      heapProcessTable(heap),
    ]
    if report.options.showsThreads { sections.append(heapThreadTable(heap)) }
    return sections + [otherMemoryTable(heap), residencyTable(heap)]
  }

  // MARK: - Totals

  private func heapFacts(_ heap: HeapReport) -> ReportSection {
    let facts: [ReportSection.Fact] = [
      .init("allocated", allocated(heap)), .init("freed", freed(heap)),
      .init("peak", peak(heap)), .init("leaked", leaked(heap)),
      .init("temporary", temporary(heap)),
    ]
    return ReportSection(
      "Heap", heap.mode.description, .facts(facts.filter { !$0.value.isEmpty }))
  }

  private func allocated(_ heap: HeapReport) -> String {
    var text = amount(heap.totals.allocated)
    if let rate = heap.allocationsPerSecond {
      text += ", \(Quantities.grouped(rate)) a second"
    }
    if heap.totals.failed > 0 { text += "; \(counted(heap.totals.failed, "call")) failed" }
    return text
  }

  private func freed(_ heap: HeapReport) -> String {
    heap.mode == .full
      ? amount(heap.totals.freed) : counted(heap.totals.freed.count, "block")
  }

  private func peak(_ heap: HeapReport) -> String {
    guard let largest = heap.largest else { return "" }
    let process =
      heap.processes.count > 1 ? " in \(VisibleText.of(largest.name)) (\(largest.pid))" : ""
    return about(heap) + "\(amount(largest.heap.peak, isByteFirst: true)) at "
      + "\(Quantities.time(largest.heap.peakTime))\(process)"
  }

  private func leaked(_ heap: HeapReport) -> String {
    if case .count = heap.mode { return counted(heap.live.count, "block") }
    let suppressed =
      heap.suppressed.isZero
      ? "" : ", and \(amount(heap.suppressed, isByteFirst: true)) suppressed"
    return about(heap) + amount(heap.leaked, isByteFirst: true) + suppressed
  }

  /// Before a headline figure that is an estimate.
  private func about(_ heap: HeapReport) -> String { heap.isSampled ? "about " : "" }

  private func temporary(_ heap: HeapReport) -> String {
    let (part, whole) = (heap.totals.temporary.count, heap.totals.allocated.count)
    guard whole > 0, heap.mode != .count else { return "" }
    let share = Self.percent(Double(part) / Double(whole))
    return about(heap) + "\(counted(part, "block")), \(share) of the allocations: freed at once"
  }

  // MARK: - Sites

  func sitesTable(_ heap: HeapReport, _ metric: HeapMetric) -> ReportSection {
    let all = heap.sites(by: metric)
    let rows = all.prefix(report.options.siteRows)
    let isSampled = heap.isSampled
    var table = TextTable(
      metric.headings(isSampled: isSampled) + ["where"])
    for site in rows {
      let value = site.amounts.value(metric)
      var cells = [Cell(number(value, metric), .strong), Cell(share(value, heap.whole(metric)))]
      if isSampled { cells.append(Cell(number(site.amounts.margin(metric), metric), .faint)) }
      cells.append(Cell(otherNumber(site.amounts, metric), .faint))
      cells.append(place(site, metric, heap))
      table.add(cells)
    }
    return ReportSection(
      "Sites by \(metric.title)", shown(rows.count, of: all), .table(table))
  }

  /// The other number of blocks or bytes.
  private func otherNumber(_ amounts: SiteAmounts, _ metric: HeapMetric) -> String {
    let amount = amounts.amount(metric)
    switch metric {
    case .temporary: return share(amount.count, amounts.allocated.count)
    case .allocs: return Quantities.size(amount.bytes)
    case .bytes, .peak, .leaked: return Quantities.grouped(Double(amount.count))
    }
  }

  private func place(_ site: AllocationSite, _ metric: HeapMetric, _ heap: HeapReport) -> Cell {
    let frames = heap.names.callers(of: site.mainStack(by: metric), atMost: 5)
    let others = site.stacks.count { $0.amounts.value(metric) > 0 } - 1
    return place(
      frames.first, callers: frames.dropFirst(), otherPaths: max(others, 0),
      program: site.key.program)
  }

  /// `parse  json.c:120`, and below it `← load ← main`.
  func place(
    _ frame: Frame?, callers: ArraySlice<Frame>, otherPaths: Int, program: String
  ) -> Cell {
    guard let frame else { return Cell("[no stack]", note: programNote(program)) }
    var path = callers.prefix(3).map {
      "← " + TerminalText.cut(VisibleText.of($0.name), to: Self.longestCaller)
    }.joined(separator: " ")
    if callers.count > 3 { path += " ← …" }
    if otherPaths > 0 {
      path += (path.isEmpty ? "" : "  ") + "and \(counted(Int64(otherPaths), "other path"))"
    }
    let note = [Self.source(frame), programNote(program)].filter { !$0.isEmpty }
    return Cell(VisibleText.of(frame.name), note: note.joined(separator: ", "), below: path)
  }

  /// In columns.
  private static let longestCaller = 60

  /// `json.c:120`, or the module where the source is not known.
  static func source(_ frame: Frame) -> String {
    guard let file = frame.file, frame.line > 0 else {
      let module = Profile.basename(frame.module)
      return frame.name.hasPrefix(module) ? "" : VisibleText.of(module)
    }
    return VisibleText.of(Profile.basename(file)) + ":\(frame.line)"
  }

  /// The program where there are several.
  private func programNote(_ program: String) -> String {
    let programs = Set((report.heap?.processes ?? []).map(\.name))
    return programs.count > 1 ? "in " + VisibleText.of(program) : ""
  }

  private var heapTree: [ReportSection] {
    guard let tree = report.heapTree, !tree.roots.isEmpty else { return [] }
    let metric = report.options.treeMetric
    return [
      CallTreeTable(
        tree, title: "Call tree of \(metric.title)",
        minimumShare: report.options.minimumTreeShare, weight: { number($0.weight, metric) }
      ).section
    ]
  }

  private func suppressionsTable(_ heap: HeapReport) -> ReportSection {
    var table = TextTable(["bytes", "blocks", "suppression"])
    for used in heap.usedSuppressions {
      table.add([
        Cell(Quantities.size(used.amount.bytes)),
        Cell(Quantities.grouped(Double(used.amount.count))),
        Cell(VisibleText.of(used.rule.text), note: used.rule.reason ?? ""),
      ])
    }
    return ReportSection("Suppressed leaks", "", .table(table))
  }

  // MARK: - Numbers

  func number(_ value: Int64, _ metric: HeapMetric) -> String { number(Double(value), metric) }

  func number(_ value: Double, _ metric: HeapMetric) -> String {
    metric.countsBytes
      ? Quantities.size(Int64(clamping: value)) : Quantities.grouped(value)
  }

  func share(_ part: Int64, _ whole: Int64) -> String {
    whole > 0 ? Self.percent(Double(part) / Double(whole)) : ""
  }

  /// `1,234 blocks, 5.6 MiB`.
  private func amount(_ amount: HeapAmount, isByteFirst: Bool = false) -> String {
    let (blocks, bytes) = (counted(amount.count, "block"), Quantities.size(amount.bytes))
    return isByteFirst ? "\(bytes) in \(blocks)" : "\(blocks), \(bytes)"
  }
}

extension HeapMetric {
  fileprivate func headings(isSampled: Bool) -> [String] {
    let (first, other) =
      switch self {
      case .allocs: ("allocations", "bytes")
      case .bytes, .peak, .leaked: ("bytes", "blocks")
      case .temporary: ("temporary", "of its own")
      }
    return [first, "share"] + (isSampled ? ["±"] : []) + [other]
  }
}

extension HeapReport {
  var isSampled: Bool { if case .sample = mode { true } else { false } }
}

extension HeapProfile.Mode {
  var description: String {
    switch self {
    case .full: "every allocation"
    case .sample(let interval): "sampled every \(Quantities.size(interval.rawValue))"
    case .count: "counted"
    }
  }
}

extension Int64 {
  /// The nearest value; 0 for what is no number.
  init(clamping value: Double) {
    self = value.isNaN ? 0 : Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
  }
}
