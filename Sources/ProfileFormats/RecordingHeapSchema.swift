import GRDB
import ProfileModel

extension RecordingSchema {
  /// The tables of a heap profile. They exist where allocations were tracked, that is where `meta`
  /// has the key ``heapModeKey``.
  static let heapTables = [
    Table(
      name: "heap_site",
      columns: """
        id, process, kind, stack, count, bytes, freed_count, freed_bytes, peak_count, peak_bytes,
        temporary_count, temporary_bytes, drawn, count_variance, bytes_variance
        """,
      sql: """
        CREATE TABLE heap_site(
          id INTEGER PRIMARY KEY, process INTEGER NOT NULL REFERENCES process, kind TEXT NOT NULL,
          stack INTEGER, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
          freed_count INTEGER NOT NULL, freed_bytes INTEGER NOT NULL, peak_count INTEGER NOT NULL,
          peak_bytes INTEGER NOT NULL, temporary_count INTEGER NOT NULL,
          temporary_bytes INTEGER NOT NULL, drawn INTEGER NOT NULL, count_variance REAL NOT NULL,
          bytes_variance REAL NOT NULL)
        """),
    Table(
      name: "heap_process",
      columns: """
        process, count, bytes, freed_count, freed_bytes, peak_count, peak_bytes, temporary_count,
        temporary_bytes, peak_time_ns, failed, unknown_frees, reentrant, lost, truncated,
        untracked, steps_start_ns, steps_width_ns
        """,
      sql: """
        CREATE TABLE heap_process(
          process INTEGER PRIMARY KEY REFERENCES process, count INTEGER NOT NULL,
          bytes INTEGER NOT NULL, freed_count INTEGER NOT NULL, freed_bytes INTEGER NOT NULL,
          peak_count INTEGER NOT NULL, peak_bytes INTEGER NOT NULL,
          temporary_count INTEGER NOT NULL, temporary_bytes INTEGER NOT NULL,
          peak_time_ns INTEGER NOT NULL, failed INTEGER NOT NULL, unknown_frees INTEGER NOT NULL,
          reentrant INTEGER NOT NULL, lost INTEGER NOT NULL, truncated INTEGER NOT NULL,
          untracked TEXT, steps_start_ns INTEGER NOT NULL, steps_width_ns INTEGER NOT NULL)
        """),
    Table(
      name: "heap_thread",
      columns: """
        thread, count, bytes, freed_count, freed_bytes, temporary_count, temporary_bytes
        """,
      sql: """
        CREATE TABLE heap_thread(
          thread INTEGER PRIMARY KEY REFERENCES thread, count INTEGER NOT NULL,
          bytes INTEGER NOT NULL, freed_count INTEGER NOT NULL, freed_bytes INTEGER NOT NULL,
          temporary_count INTEGER NOT NULL, temporary_bytes INTEGER NOT NULL)
        """),
    Table(
      name: "heap_histogram", columns: "process, kind, bucket, count, bytes",
      sql: """
        CREATE TABLE heap_histogram(
          process INTEGER NOT NULL REFERENCES heap_process, kind TEXT NOT NULL,
          bucket INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL,
          PRIMARY KEY(process, kind, bucket)) WITHOUT ROWID
        """),
    Table(
      name: "heap_step", columns: "process, step, largest, live, resident, allocations",
      sql: """
        CREATE TABLE heap_step(
          process INTEGER NOT NULL REFERENCES heap_process, step INTEGER NOT NULL,
          largest INTEGER NOT NULL, live INTEGER NOT NULL, resident INTEGER NOT NULL,
          allocations INTEGER NOT NULL, PRIMARY KEY(process, step)) WITHOUT ROWID
        """),
    Table(
      name: "heap_residency",
      columns: "process, time_ns, anonymous, file, shared, heap, agent, rings",
      sql: """
        CREATE TABLE heap_residency(
          process INTEGER PRIMARY KEY REFERENCES heap_process, time_ns INTEGER NOT NULL,
          anonymous INTEGER NOT NULL, file INTEGER NOT NULL, shared INTEGER NOT NULL,
          heap INTEGER NOT NULL, agent INTEGER NOT NULL, rings INTEGER NOT NULL)
        """),
  ]

  /// For people with `sqlite3`, as for samples.
  private static let heapViews = """
    CREATE VIEW heap_site_location AS
      WITH RECURSIVE step(site, depth, node) AS (
        SELECT id, 0, stack FROM heap_site
        UNION ALL
        SELECT site, depth + 1, CASE node WHEN id THEN id - up ELSE node - 1 END
        FROM step JOIN stack ON id = (SELECT max(id) FROM stack WHERE id <= node))
      SELECT site, depth,
        CAST(hex(substr(locations, 1 + (node - id) * width, width)) AS INTEGER) AS location
      FROM step JOIN stack ON id = (SELECT max(id) FROM stack WHERE id <= node);
    """

  static func createHeapTables(in db: Database) throws {
    for table in heapTables { try db.execute(sql: table.sql) }
    try db.execute(sql: heapViews)
  }

  static let heapModeKey = "heap_mode"

  /// What the table `heap_histogram` calls the two histograms of a process.
  static var histograms: [(kind: String, path: WritableKeyPath<HeapProcess, [HeapAmount]>)] {
    [("size", \.sizes), ("lifetime", \.lifetimes)]
  }
  /// Bucket n holds 2ⁿ and more; no number has more bits.
  static let buckets = 0..<64
}
