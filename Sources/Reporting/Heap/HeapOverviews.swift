import ProfileModel

extension ReportContent {
  // MARK: - Histograms

  func histogram(
    _ buckets: [HeapAmount], _ title: String, of name: String, _ labels: any BucketLabels.Type
  ) -> ReportSection {
    let rows = labels.rows(buckets)
    let total = rows.reduce(Int64(0)) { $0.addingUpTo($1.amount.count) }
    let most = rows.map(\.amount.count).max() ?? 0
    var table = TextTable(["from", "blocks", "share", "bytes", ""])
    for row in rows {
      guard !row.amount.isZero else {
        table.add([Cell(row.label)] + Array(repeating: Cell(""), count: 4))
        continue
      }
      table.add([
        Cell(row.label), Cell(Quantities.grouped(Double(row.amount.count)), .strong),
        Cell(share(row.amount.count, total)), Cell(Quantities.size(row.amount.bytes), .faint),
        Cell(bar: most > 0 ? Double(row.amount.count) / Double(most) : 0),
      ])
    }
    return ReportSection(
      title, "a row reaches up to the \(name) of the next", .table(table))
  }

  // MARK: - Who

  func heapProcessTable(_ heap: HeapReport) -> ReportSection {
    let all = heap.processes.count > 1 ? heap.processes : []
    let rows = all.prefix(report.options.rows)
    var table = TextTable(["peak", "allocations", "bytes", "live", "temporary", "pid", "program"])
    for row in rows {
      table.add([
        Cell(row.heap.peak.bytes > 0 ? Quantities.size(row.heap.peak.bytes) : "", .strong),
        Cell(Quantities.grouped(Double(row.heap.allocated.count))),
        Cell(Quantities.size(row.heap.allocated.bytes)),
        Cell(heap.mode == .full ? Quantities.size(row.heap.live.bytes) : "", .faint),
        Cell(share(row.heap.temporary.count, row.heap.allocated.count), .faint),
        Cell(String(row.pid)),
        Cell(VisibleText.of(row.name), note: row.heap.untracked == nil ? "" : "not tracked"),
      ])
    }
    return ReportSection("Heaps of processes", shown(rows.count, of: all), .table(table))
  }

  func heapThreadTable(_ heap: HeapReport) -> ReportSection {
    let rows = heap.threads.prefix(report.options.rows)
    var table = TextTable([
      "allocations", "share", "bytes", "frees", "temporary", "pid", "tid", "thread",
    ])
    for row in rows {
      let owner = row.program == row.name ? "" : "of \(VisibleText.of(row.program))"
      table.add([
        Cell(Quantities.grouped(Double(row.heap.allocated.count)), .strong),
        Cell(share(row.heap.allocated.count, heap.totals.allocated.count)),
        Cell(Quantities.size(row.heap.allocated.bytes)),
        Cell(Quantities.grouped(Double(row.heap.freed.count)), .faint),
        Cell(share(row.heap.temporary.count, row.heap.allocated.count), .faint),
        Cell(String(row.pid)), Cell(String(row.tid)),
        Cell(VisibleText.of(row.name), note: owner),
      ])
    }
    return ReportSection("Heaps by thread", shown(rows.count, of: heap.threads), .table(table))
  }

  // MARK: - Beside the blocks

  /// Mappings and growth of the program break: a line for all of a kind, then its largest sites.
  func otherMemoryTable(_ heap: HeapReport) -> ReportSection {
    var table = TextTable(["bytes", "calls", "live", "where"])
    func add(_ amounts: SiteAmounts, _ place: Cell, _ look: TextTable.Look) {
      table.add([
        Cell(Quantities.size(amounts.allocated.bytes), look),
        Cell(Quantities.grouped(Double(amounts.allocated.count))),
        Cell(Quantities.size(amounts.live.bytes), .faint), place,
      ])
    }
    for kind in HeapSite.Kind.allCases {
      guard let sites = heap.otherSites[kind] else { continue }
      let sum = sites.reduce(into: SiteAmounts()) { $0 += $1.amounts }
      add(sum, Cell(kind.title, .strong), .strong)
      for site in HeapReport.sorted(sites, by: .bytes).prefix(3) {
        let frames = heap.names.callers(of: site.mainStack(by: .bytes), atMost: 5)
        let place = place(
          frames.first, callers: frames.dropFirst(), otherPaths: site.stacks.count - 1,
          program: site.key.program)
        add(site.amounts, place, .plain)
      }
    }
    return ReportSection(
      "Memory beside the heap", "asked for by the program itself", .table(table))
  }

  func residencyTable(_ heap: HeapReport) -> ReportSection {
    guard let process = heap.largestResident, let residency = process.heap.residency else {
      return ReportSection("", "", .table(TextTable([])))
    }
    let total = residency.total
    var table = TextTable(["bytes", "share", "what"])
    for (part, bytes) in residency.parts {
      table.add([
        Cell(Quantities.size(bytes), .strong), Cell(share(bytes, total)),
        Cell(part.title, below: part.meaning),
      ])
    }
    let owner =
      heap.processes.count > 1 ? " of \(VisibleText.of(process.name)) (\(process.pid))" : ""
    return ReportSection(
      "Resident memory\(owner)",
      "\(Quantities.size(total)) when most was seen, at \(Quantities.time(residency.time))",
      .table(table))
  }
}

extension HeapReport {
  /// The process whose resident memory was largest.
  var largestResident: Process? {
    let known = processes.filter { $0.heap.residency != nil }
    return known.max { $0.heap.residency?.total ?? 0 < $1.heap.residency?.total ?? 0 }
  }
}

extension HeapResidency {
  var total: Int64 {
    anonymous.rawValue.addingUpTo(file.rawValue).addingUpTo(shared.rawValue)
  }

  /// They add up to ``total``. Blocks that were never written to are live and not resident: where
  /// they outweigh what the allocator keeps, that part is negative.
  var parts: [(part: ResidencyPart, bytes: Int64)] {
    let own = agent.rawValue.addingUpTo(rings.rawValue)
    let rest = anonymous.rawValue.subtracting(heap.rawValue).subtracting(agent.rawValue)
    let parts: [(part: ResidencyPart, bytes: Int64)] = [
      (.heap, heap.rawValue), (rest < 0 ? .untouched : .allocator, rest), (.files, file.rawValue),
      (.shared, shared.rawValue.subtracting(rings.rawValue)), (.agent, own),
    ]
    return parts.filter { $0.bytes != 0 }
  }
}

extension Int64 {
  fileprivate func subtracting(_ other: Int64) -> Int64 {
    addingUpTo(other == .min ? .max : -other)
  }
}

extension HeapSite.Kind {
  fileprivate var title: String {
    switch self {
    case .block: "blocks"
    case .mapping: "mmap and mremap"
    case .programBreak: "brk and sbrk"
    }
  }
}

/// How the buckets of a histogram are named and put together.
protocol BucketLabels {
  /// Buckets for one row.
  static var width: Int { get }
  /// Where bucket `exponent` begins.
  static func label(_ exponent: Int) -> String
}

extension BucketLabels {
  /// From the first that is not empty to the last.
  static func rows(_ buckets: [HeapAmount]) -> [(label: String, amount: HeapAmount)] {
    let used = buckets.indices.filter { !buckets[$0].isZero }
    guard let first = used.first, let last = used.last else { return [] }
    return stride(from: first - first % width, through: last, by: width).map { start in
      let end = min(start + width, buckets.count)
      return (label(start), buckets[start..<end].reduce(HeapAmount()) { $0.adding($1) })
    }
  }
}

/// 2ⁿ bytes: `64 B`, `1 KiB`.
enum SizeBuckets: BucketLabels {
  static let width = 1
  static func label(_ exponent: Int) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    let unit = min(exponent / 10, units.count - 1)
    return exponent == 0 ? "0 B" : "\(1 << (exponent - 10 * unit)) \(units[unit])"
  }
}

/// 2ⁿ nanoseconds: `1.02 µs`.
enum LifetimeBuckets: BucketLabels {
  static let width = 3
  static func label(_ exponent: Int) -> String {
    exponent == 0 ? "0 ns" : Quantities.time(Nanoseconds(exponent < 63 ? 1 << exponent : .max))
  }
}
