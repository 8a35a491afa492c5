import GRDB
import ProfileModel

/// The rows of a heap profile that stand in the file already, and the statements that bring them
/// up to date.
///
/// Kept whole and compared, because every row may change while the program runs, and most do not
/// from one transaction to the next.
struct WrittenHeap {
  private typealias Values = [(any DatabaseValueConvertible)?]

  private var sites = WrittenSites()
  private var processes: [ID<ProcessImage>: HeapProcess] = [:]
  private var threads: [ID<ThreadInfo>: HeapThread] = [:]

  /// Makes the tables, which a recording without a heap does not have.
  init(creatingTablesIn db: Database) throws {
    try RecordingSchema.createHeapTables(in: db)
  }

  mutating func write(_ heap: HeapProfile, in db: Database) throws {
    try writeSites(heap.sites, in: db)
    try writeProcesses(heap.processes, in: db)
    let put = try Self.put(into: "heap_thread", columns: 7, in: db)
    for row in heap.threads where threads[row.thread] != row {
      try put.run([row.thread.index] + Self.values(of: [row.allocated, row.freed, row.temporary]))
      threads[row.thread] = row
    }
  }

  private mutating func writeSites(_ new: [HeapSite], in db: Database) throws {
    let put = try Self.put(into: "heap_site", columns: 15, in: db)
    for (place, row) in new.enumerated() {
      guard let id = sites.update(row, at: place) else { continue }
      try put.run([
        id, row.process.index, row.kind.rawValue, row.stack?.index, row.allocated.count,
        row.allocated.bytes, row.freed.count, row.freed.bytes, row.atPeak.count, row.atPeak.bytes,
        row.temporary.count, row.temporary.bytes, row.drawn, row.countVariance, row.bytesVariance,
      ])
    }
  }

  private mutating func writeProcesses(_ new: [HeapProcess], in db: Database) throws {
    let put = try Self.put(into: "heap_process", columns: 18, in: db)
    for row in new where processes[row.process] != row {
      try put.run(Self.values(of: row))
      let old = processes[row.process] ?? HeapProcess(process: row.process)
      try Self.writeHistograms(row, old, in: db)
      try Self.writeSteps(row, old, in: db)
      if let residency = row.residency, residency != old.residency {
        try Self.put(into: "heap_residency", columns: 8, in: db)
          .run(Self.values(of: residency, row.process))
      }
      processes[row.process] = row
    }
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
    let put = try put(into: "heap_histogram", columns: 5, in: db)
    for (kind, path) in RecordingSchema.histograms {
      let (new, old, process) = (new[keyPath: path], old[keyPath: path], new.process.index)
      for (bucket, amount) in new.enumerated() {
        let before = bucket < old.count ? old[bucket] : HeapAmount()
        guard amount != before || bucket == new.count - 1 else { continue }
        try put.run([process, kind, bucket, amount.count, amount.bytes])
      }
    }
  }

  private static func writeSteps(_ new: HeapProcess, _ old: HeapProcess, in db: Database) throws {
    let (steps, before, process) = (new.timeline.steps, old.timeline.steps, new.process.index)
    let put = try put(into: "heap_step", columns: 6, in: db)
    for (number, step) in steps.enumerated() where number >= before.count || before[number] != step
    {
      try put.run([process, number, step.largest, step.live, step.resident, step.allocations])
    }
    // Longer steps are fewer.
    guard steps.count < before.count else { return }
    try db.execute(
      sql: "DELETE FROM heap_step WHERE process = ? AND step >= ?",
      arguments: [process, steps.count])
  }

  /// A statement that writes rows of `table`, over those with the same key.
  private static func put(into table: String, columns: Int, in db: Database) throws -> Statement {
    let marks = repeatElement("?", count: columns).joined(separator: ", ")
    return try db.cachedStatement(sql: "INSERT OR REPLACE INTO \(table) VALUES (\(marks))")
  }
}

extension Statement {
  /// Runs with a value for each of its marks. Tens of thousands of rows are written while the
  /// recorded program runs, and counting the values each time takes half of that.
  fileprivate func run(_ values: [(any DatabaseValueConvertible)?]) throws {
    setUncheckedArguments(StatementArguments(values))
    try execute()
  }
}

/// The sites that stand in the file, by their ids there, which are in the order of their first
/// appearance: where those of several processes grow in number, their places in the profile change.
private struct WrittenSites {
  private var rows: [HeapSite] = []
  private var ids: [HeapSite.Key: Int] = [:]
  /// Ids by place when they were last looked for: most stay where they are.
  private var idsByPlace: [Int] = []

  /// The id under which `row` is to be written; nil when it stands in the file like that.
  mutating func update(_ row: HeapSite, at place: Int) -> Int? {
    let id = id(of: row, at: place)
    if id == rows.count {
      rows.append(row)
    } else {
      if rows[id] == row { return nil }
      rows[id] = row
    }
    return id
  }

  private mutating func id(of row: HeapSite, at place: Int) -> Int {
    if place < idsByPlace.count, rows[idsByPlace[place]].key == row.key { return idsByPlace[place] }
    let id = ids[row.key] ?? rows.count
    ids[row.key] = id
    if place < idsByPlace.count { idsByPlace[place] = id } else { idsByPlace.append(id) }
    return id
  }
}

extension HeapSite {
  /// What there is one site of.
  struct Key: Hashable {
    var process: ID<ProcessImage>
    var kind: Kind
    var stack: ID<StackNode>?
  }
  var key: Key { Key(process: process, kind: kind, stack: stack) }
}
