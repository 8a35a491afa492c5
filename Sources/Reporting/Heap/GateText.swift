import ProfileModel

extension ReportContent {
  /// The conditions, and for those that failed the sites behind it.
  func gateSections(_ gate: Gate, _ heap: HeapReport) -> [ReportSection] {
    var table = TextTable(["result", "condition", "found"])
    for outcome in gate.outcomes {
      table.add([
        Cell(outcome.word, outcome.result == .passed ? .plain : .warning),
        Cell(VisibleText.of(outcome.condition.text)), Cell(finding(outcome)),
      ])
    }
    return [ReportSection("Conditions", "", .table(table))]
      + gate.outcomes.filter { $0.result == .failed }.map { culprits($0, heap) }
  }

  /// What was found: `1,020 allocations, 1,000 in the base`.
  func finding(_ outcome: Gate.Outcome) -> String {
    if case .notMeasured(let obstacle) = outcome.result {
      return obstacle.message(outcome.condition.metric)
    }
    let metric = outcome.condition.metric
    guard let value = outcome.value else { return "" }
    let found = exact(value, metric)
    return outcome.base.map { "\(found), \(exact($0, metric)) in the base" } ?? found
  }

  /// The sites that changed most; those that have most where no base was looked at.
  private func culprits(_ outcome: Gate.Outcome, _ heap: HeapReport) -> ReportSection {
    let metric = outcome.condition.metric
    var section =
      outcome.condition.isRelative
      ? report.difference.map { changesTable($0, metric) } ?? sitesTable(heap, metric)
      : sitesTable(heap, metric)
    section.title = "Why \(VisibleText.of(outcome.condition.text)) failed"
    return section
  }

  /// In whole numbers: what was compared.
  private func exact(_ value: Int64, _ metric: HeapMetric) -> String {
    let number = Quantities.grouped(Double(value))
    guard metric.countsBytes else { return "\(number) \(metric.title)" }
    let size = abs(value) < 1024 ? "" : " (\(Quantities.size(value)))"
    return "\(number) B\(size)"
  }
}

extension Report {
  /// The conditions that did not pass, each with what was found and the site to look at first.
  package var gateMessages: [String] {
    guard let gate, let heap else { return [] }
    let content = ReportContent(self)
    return gate.outcomes.filter { $0.result != .passed }.map { outcome in
      let text = "\(outcome.word): \(outcome.condition.text): \(content.finding(outcome))"
      guard outcome.result == .failed, let site = firstSite(outcome.condition, heap) else {
        return text
      }
      return text + "\n  " + site
    }
  }

  /// `+1,000 allocations in parse at json.c:120`.
  private func firstSite(_ condition: GateCondition, _ heap: HeapReport) -> String? {
    let metric = condition.metric
    let content = ReportContent(self)
    func line(_ number: String, _ frame: Frame?) -> String {
      let source = frame.map(ReportContent.source) ?? ""
      let unit = metric.countsBytes ? "" : " \(metric.title)"
      return
        "\(number)\(unit) in \(frame?.name ?? "[no stack]")\(source.isEmpty ? "" : " at \(source)")"
    }
    if condition.isRelative, let difference {
      return difference.changes(of: metric).first.map {
        line(
          content.signed($0.difference, metric), difference.frames($0.callers, atMost: 1).first)
      }
    }
    return heap.sites(by: metric).first.map {
      line(
        content.number($0.amounts.value(metric), metric),
        heap.names.callers(of: $0.mainStack(by: metric), atMost: 1).first)
    }
  }
}

extension Gate.Outcome {
  var word: String {
    switch result {
    case .passed: "passed"
    case .failed: "failed"
    case .notMeasured: "not measured"
    }
  }
}
