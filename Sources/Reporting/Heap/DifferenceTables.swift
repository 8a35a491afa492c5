import ProfileModel

extension ReportContent {
  func totalsTable(_ difference: HeapDifference) -> ReportSection {
    var table = TextTable(["base", "now", "change", "", "metric"])
    for metric in HeapMetric.allCases {
      guard let base = difference.base.total(metric), let now = difference.current.total(metric)
      else { continue }
      let change = now.addingUpTo(base == .min ? .max : -base)
      table.add([
        Cell(number(base, metric)), Cell(number(now, metric), .strong),
        Cell(signed(change, metric)), Cell(relative(change, to: base), .faint),
        Cell(metric.title),
      ])
    }
    return ReportSection(
      "Changes", "since \(VisibleText.of(difference.source))", .table(table))
  }

  func changesTable(_ difference: HeapDifference, _ metric: HeapMetric) -> ReportSection {
    let all = difference.changes(of: metric)
    let rows = all.prefix(report.options.siteRows)
    var table = TextTable(
      ["change", "base", "now"] + (difference.isSampled ? ["±"] : []) + ["", "where"])
    for row in rows {
      var cells = [
        Cell(signed(row.difference, metric), .strong), Cell(number(row.base, metric)),
        Cell(number(row.current, metric)),
      ]
      if difference.isSampled { cells.append(Cell(number(row.margin, metric), .faint)) }
      cells += [Cell(row.change.rawValue, .faint), place(row, difference)]
      table.add(cells)
    }
    return ReportSection(
      "Changes in \(metric.title)", shown(rows.count, of: all), .table(table))
  }

  private func place(_ row: HeapDifference.ChangedSite, _ difference: HeapDifference) -> Cell {
    let frames = difference.frames(row.callers, atMost: 5)
    return place(
      frames.first, callers: frames.dropFirst(), otherPaths: 0, program: row.site.program)
  }

  func signed(_ change: Int64, _ metric: HeapMetric) -> String {
    (change > 0 ? "+" : "") + number(change, metric)
  }

  func relative(_ change: Int64, to base: Int64) -> String {
    guard base > 0, change != 0 else { return "" }
    return (change > 0 ? "+" : "-") + Quantities.percent(abs(Double(change)), of: Double(base))
  }
}
