import GRDB
import ProfileModel

/// The rows of a heap profile that stand in the file already, and the statements that bring them
/// up to date.
///
/// Kept whole and compared, because every row may change while the program runs, and most do not
/// from one transaction to the next.
struct WrittenHeap {
  private typealias Values = [(any DatabaseValueConvertible)?]

  private var sites: [HeapSite] = []
  private var processes: [ID<ProcessImage>: HeapProcess] = [:]
  private var threads: [ID<ThreadInfo>: HeapThread] = [:]

  /// Makes the tables, which a recording without a heap does not have.
  init(creatingTablesIn db: Database) throws {
    try RecordingSchema.createHeapTables(in: db)
  }

  mutating func write(_ heap: HeapProfile, in db: Database) throws {
    try writeSites(heap.sites, in: db)
    for row in heap.processes where processes[row.process] != row {
      try Self.put(Self.values(of: row), into: "heap_process", in: db)
      let old = processes[row.process] ?? HeapProcess(process: row.process)
      try Self.writeHistograms(row, old, in: db)
      try Self.writeSteps(row, old, in: db)
      if let residency = row.residency, residency != old.residency {
        try Self.put(Self.values(of: residency, row.process), into: "heap_residency", in: db)
      }
      processes[row.process] = row
    }
    for row in heap.threads where threads[row.thread] != row {
      let amounts = [row.allocated, row.freed, row.temporary]
      try Self.put([row.thread.index] + Self.values(of: amounts), into: "heap_thread", in: db)
      threads[row.thread] = row
    }
  }

  private mutating func writeSites(_ new: [HeapSite], in db: Database) throws {
    for (id, row) in new.enumerated() where id >= sites.count || sites[id] != row {
      let amounts = [row.allocated, row.freed, row.atPeak, row.temporary]
      try Self.put(
        [id, row.process.index, row.kind.rawValue, row.stack?.index] + Self.values(of: amounts)
          + [row.drawn, row.countVariance, row.bytesVariance], into: "heap_site", in: db)
    }
    if new.count < sites.count {
      try db.execute(sql: "DELETE FROM heap_site WHERE id >= ?", arguments: [new.count])
    }
    sites = new
  }

  private static func values(of row: HeapProcess) -> Values {
    [row.process.index] + values(of: [row.allocated, row.freed, row.peak, row.temporary]) + [
      row.peakTime.rawValue, row.failed, row.unknownFrees, row.reentrant, row.lost, row.truncated,
      row.untracked, row.timeline.start.rawValue, row.timeline.width.rawValue,
    ]
  }

  private static func values(of residency: HeapResidency, _ process: ID<ProcessImage>) -> Values {
    [process.index, residency.time.rawValue]
      + [
        residency.anonymous, residency.file, residency.shared, residency.heap, residency.agent,
        residency.rings,
      ].map(\.rawValue)
  }

  private static func values(of amounts: [HeapAmount]) -> Values {
    amounts.flatMap { [$0.count, $0.bytes] }
  }

  /// Buckets of nothing have no row, but for the last one, which says how many there are.
  private static func writeHistograms(
    _ new: HeapProcess, _ old: HeapProcess, in db: Database
  ) throws {
    for (kind, path) in RecordingSchema.histograms {
      let (new, old, process) = (new[keyPath: path], old[keyPath: path], new.process.index)
      for (bucket, amount) in new.enumerated() {
        let before = bucket < old.count ? old[bucket] : HeapAmount()
        guard amount != before || bucket == new.count - 1 else { continue }
        try put(
          [process, kind, bucket, amount.count, amount.bytes], into: "heap_histogram", in: db)
      }
    }
  }

  private static func writeSteps(_ new: HeapProcess, _ old: HeapProcess, in db: Database) throws {
    let (steps, before, process) = (new.timeline.steps, old.timeline.steps, new.process.index)
    for (number, step) in steps.enumerated() where number >= before.count || before[number] != step
    {
      try put(
        [process, number, step.largest, step.live, step.resident, step.allocations],
        into: "heap_step", in: db)
    }
    // Longer steps are fewer.
    guard steps.count < before.count else { return }
    try db.execute(
      sql: "DELETE FROM heap_step WHERE process = ? AND step >= ?",
      arguments: [process, steps.count])
  }

  private static func put(_ values: Values, into table: String, in db: Database) throws {
    let marks = repeatElement("?", count: values.count).joined(separator: ", ")
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO \(table) VALUES (\(marks))")
      .execute(arguments: StatementArguments(values))
  }
}
