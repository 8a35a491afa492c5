import GRDB

/// The tables of a recording: docs/formats/recording.md explains them.
enum RecordingSchema {
  /// `PRAGMA application_id`: the letters `QPRF`.
  static let applicationID: Int64 = 0x5150_5246
  /// `PRAGMA user_version`. Rises when a table that exists changes its meaning or columns; a new
  /// table leaves it alone, so that older tools still read the file.
  static let version: Int64 = 1

  struct Table {
    let name: String
    /// What the reader selects.
    let columns: String
    /// The statement that makes it, as SQLite keeps it too. The reader accepts no other: columns
    /// of an untrusted file could be computed, and a view could run for ever.
    let sql: String
  }

  static func table(_ name: String) -> Table? {
    (tables + heapTables).first { $0.name == name }
  }

  /// Checks that the database has `tables`, made by the very statements of this version.
  static func check(_ tables: [Table], in db: Database) throws {
    for table in tables {
      let sql = try String.fetchOne(
        db, sql: "SELECT sql FROM sqlite_master WHERE name = ?", arguments: [table.name])
      guard sql == table.sql else {
        throw BrokenRule("table \(table.name) is missing or not that of version \(version)")
      }
    }
  }

  /// Row ids are the positions in the profile's tables, from 0. No table has an index besides its
  /// key: the reader scans, and a page of index is a page more to write each second.
  static let tables = [
    Table(
      name: "meta", columns: "key, value",
      sql: "CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID"),
    Table(
      // As a BLOB, because SQLite's text interface stops at a NUL.
      name: "string", columns: "id, CAST(text AS BLOB)",
      sql: "CREATE TABLE string(id INTEGER PRIMARY KEY, text TEXT NOT NULL)"),
    Table(
      name: "mapping",
      columns: "id, kind, path, build_id, start_address, end_address, file_offset",
      sql: """
        CREATE TABLE mapping(
          id INTEGER PRIMARY KEY, kind TEXT NOT NULL, path INTEGER NOT NULL REFERENCES string,
          build_id BLOB, start_address INTEGER NOT NULL, end_address INTEGER NOT NULL,
          file_offset INTEGER NOT NULL)
        """),
    Table(
      name: "function", columns: "id, name, system_name, file, start_line",
      sql: """
        CREATE TABLE function(
          id INTEGER PRIMARY KEY, name INTEGER NOT NULL REFERENCES string,
          system_name INTEGER NOT NULL REFERENCES string, file INTEGER REFERENCES string,
          start_line INTEGER NOT NULL)
        """),
    Table(
      name: "location", columns: "id, mapping, address, function, line, marker",
      sql: """
        CREATE TABLE location(
          id INTEGER PRIMARY KEY, mapping INTEGER REFERENCES mapping, address INTEGER,
          function INTEGER REFERENCES function, line INTEGER, marker TEXT)
        """),
    Table(
      name: "inlined", columns: "location, depth, function, line",
      sql: """
        CREATE TABLE inlined(
          location INTEGER NOT NULL REFERENCES location, depth INTEGER NOT NULL,
          function INTEGER NOT NULL REFERENCES function, line INTEGER NOT NULL,
          PRIMARY KEY(location, depth)) WITHOUT ROWID
        """),
    Table(
      // A row for each run of nodes: a row for each node would be half of the file.
      name: "stack", columns: "id, up, width, locations",
      sql: """
        CREATE TABLE stack(
          id INTEGER PRIMARY KEY, up INTEGER, width INTEGER NOT NULL, locations BLOB NOT NULL)
        """),
    Table(
      name: "process", columns: "id, pid, parent_pid, name, start_ns, end_ns",
      sql: """
        CREATE TABLE process(
          id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, parent_pid INTEGER NOT NULL,
          name INTEGER NOT NULL REFERENCES string, start_ns INTEGER NOT NULL, end_ns INTEGER)
        """),
    Table(
      name: "thread", columns: "id, process, tid, name",
      sql: """
        CREATE TABLE thread(
          id INTEGER PRIMARY KEY, process INTEGER NOT NULL REFERENCES process,
          tid INTEGER NOT NULL, name INTEGER NOT NULL REFERENCES string)
        """),
    Table(
      name: "sample", columns: "id, delta_us, thread, stack, weight",
      sql: """
        CREATE TABLE sample(
          id INTEGER PRIMARY KEY, delta_us INTEGER NOT NULL, thread INTEGER REFERENCES thread,
          stack INTEGER, weight INTEGER NOT NULL)
        """),
    Table(
      name: "loss", columns: "reason, events, weight, processes",
      sql: """
        CREATE TABLE loss(
          reason TEXT PRIMARY KEY, events INTEGER NOT NULL, weight INTEGER NOT NULL,
          processes TEXT) WITHOUT ROWID
        """),
  ]

  /// For people with `sqlite3`: nothing here reads them.
  private static let views = """
    CREATE VIEW timed_sample AS
      SELECT id, sum(delta_us) OVER (ORDER BY id) AS time_us, thread, stack, weight FROM sample;
    CREATE VIEW stack_node AS
      WITH RECURSIVE place(n) AS (
        SELECT 0
        UNION ALL
        SELECT n + 1 FROM place WHERE n + 1 < (SELECT max(length(locations) / width) FROM stack))
      SELECT id + n AS id, CASE n WHEN 0 THEN id - up ELSE id + n - 1 END AS parent,
        CAST(hex(substr(locations, 1 + n * width, width)) AS INTEGER) AS location
      FROM stack JOIN place ON n < length(locations) / width;
    CREATE VIEW sample_location AS
      WITH RECURSIVE step(sample, depth, node) AS (
        SELECT id, 0, stack FROM sample
        UNION ALL
        SELECT sample, depth + 1, CASE node WHEN id THEN id - up ELSE node - 1 END
        FROM step JOIN stack ON id = (SELECT max(id) FROM stack WHERE id <= node))
      SELECT sample, depth,
        CAST(hex(substr(locations, 1 + (node - id) * width, width)) AS INTEGER) AS location
      FROM step JOIN stack ON id = (SELECT max(id) FROM stack WHERE id <= node);
    CREATE VIEW frame AS
      SELECT place.location, place.depth,
        coalesce(
          name.text,
          CASE marker WHEN 'signal blocked' THEN '[signal blocked]'
            ELSE '[truncated: ' || marker || ']' END,
          replace(path.text, rtrim(path.text, replace(path.text, '/', '')), '')
            || printf('+0x%x', place.address),
          printf('0x%x', place.address)) AS name,
        coalesce(path.text, '') AS module, file.text AS file, coalesce(place.line, 0) AS line
      FROM (
        SELECT id AS location, mapping, address, function, line, marker,
            (SELECT count(*) FROM inlined WHERE inlined.location = location.id) AS depth
          FROM location
        UNION ALL
        SELECT location, mapping, address, inlined.function, inlined.line, NULL, depth
          FROM inlined JOIN location ON location.id = inlined.location) AS place
      LEFT JOIN function ON function.id = place.function
      LEFT JOIN string AS name ON name.id = function.name
      LEFT JOIN string AS file ON file.id = function.file
      LEFT JOIN mapping ON mapping.id = place.mapping
      LEFT JOIN string AS path ON path.id = mapping.path;
    """

  static func create(in db: Database) throws {
    try db.execute(sql: "PRAGMA application_id = \(applicationID)")
    try db.execute(sql: "PRAGMA user_version = \(version)")
    for table in tables { try db.execute(sql: table.sql) }
    try db.execute(sql: views)
  }

  /// Keys of ``meta`` that say how far the recording got; written as 0 or 1.
  static let symbolizedKey = "symbolized"
  static let completeKey = "complete"
}
