import ProfileModel

extension ReportContent {
  typealias Cell = TextTable.Cell

  func functionTable(by order: FlatProfile.Order) -> ReportSection {
    let all = report.functions(by: order)
    let rows = all.prefix(report.options.rows)
    let main = order == .flat ? "self" : "cumulative"
    let other = order == .flat ? "cumulative" : "self"
    var table = TextTable([main, "share"] + certaintyHeadings + [other, "share", "function"])
    for entry in rows {
      let (first, second) =
        order == .flat ? (entry.flat, entry.cumulative) : (entry.cumulative, entry.flat)
      var cells = measure(first, .strong)
      cells += certainty(first)
      cells += measure(second, .faint)
      cells.append(name(entry.function))
      table.add(cells)
    }
    let details = [
      shown(rows.count, of: all),
      report.sampleCount == nil || order != report.orders.first
        ? "" : "± half the 95 % interval, in points",
    ]
    return ReportSection(
      "Functions by \(main) \(kind)", details.filter { !$0.isEmpty }.joined(separator: "; "),
      .table(table))
  }

  /// Programs, the processes of one name together, where there is more than one process.
  var processTable: ReportSection {
    // With those that never met a tick: that they ran is worth knowing.
    let programs = report.processes.count > 1 ? Program.all(in: report.processes) : []
    let rows = programs.prefix(report.options.rows)
    var table = TextTable([kind, "share"] + certaintyHeadings + ["processes", "program"])
    for row in rows {
      var cells = measure(row.tally, .strong)
      cells += certainty(row.tally)
      cells.append(Cell(Quantities.grouped(Double(row.count))))
      cells.append(Cell(VisibleText.of(row.name)))
      table.add(cells)
    }
    return ReportSection("Processes", shown(rows.count, of: programs), .table(table))
  }

  var threadTable: ReportSection {
    let all = report.processes.flatMap { process in
      process.threads.filter { !$0.tally.isZero }.map { (process: process, thread: $0) }
    }.sorted { a, b in
      let (first, second) = (a.thread, b.thread)
      return first.tally.weight == second.tally.weight
        ? first.tid < second.tid : first.tally.weight > second.tally.weight
    }
    let rows = all.prefix(report.options.rows)
    var table = TextTable([kind, "share"] + certaintyHeadings + ["pid", "tid", "thread"])
    for (process, thread) in rows {
      var cells = measure(thread.tally, .strong)
      cells += certainty(thread.tally)
      cells.append(Cell(String(process.pid)))
      cells.append(Cell(String(thread.tid)))
      let owner = process.name == thread.name ? "" : "of \(VisibleText.of(process.name))"
      cells.append(Cell(VisibleText.of(thread.name), note: owner))
      table.add(cells)
    }
    return ReportSection("Threads", shown(rows.count, of: all), .table(table))
  }

  // MARK: - Parts

  /// `15 of 143`, or nothing where all are shown.
  func shown(_ count: Int, of all: some Collection) -> String {
    count < all.count ? "\(count) of \(Quantities.grouped(Double(all.count)))" : ""
  }

  /// What the numbers of the profile are: `time`, or the kind that it names.
  private var kind: String {
    report.quantities.secondsPerUnit == nil ? VisibleText.of(report.valueType.kind) : "time"
  }

  /// A weight in the unit of its column, and its share; blank for nothing.
  private func measure(_ tally: Tally, _ look: TextTable.Look) -> [Cell] {
    guard !tally.isZero else { return [Cell(""), Cell("")] }
    return [Cell(report.weight(tally), look), Cell(Self.percent(report.share(tally).value), look)]
  }

  private var certaintyHeadings: [String] { report.sampleCount == nil ? [] : ["±", "samples"] }

  /// Half the 95 % interval in points, and the number of samples.
  private func certainty(_ tally: Tally) -> [Cell] {
    guard report.sampleCount != nil else { return [] }
    let interval = report.share(tally).interval95 ?? 0...0
    let half = 50 * (interval.upperBound - interval.lowerBound)
    return [
      Cell(Quantities.decimal(half, places: 1), .faint),
      Cell(Quantities.grouped(Double(tally.samples)), .faint),
    ]
  }

  private func name(_ function: CalledFunction) -> Cell {
    Cell(
      VisibleText.of(function.name),
      note: function.isSymbolised ? VisibleText.of(Profile.basename(function.module)) : "")
  }
}

/// The processes of one name.
private struct Program {
  var name: String
  var count = 0
  var tally = Tally()

  /// By weight descending, then name.
  static func all(in processes: [Report.ProcessRow]) -> [Program] {
    var programs: [String: Program] = [:]
    for process in processes {
      programs[process.name, default: Program(name: process.name)].count += 1
      programs[process.name, default: Program(name: process.name)].tally += process.tally
    }
    return programs.values.sorted {
      $0.tally.weight == $1.tally.weight ? $0.name < $1.name : $0.tally.weight > $1.tally.weight
    }
  }
}
