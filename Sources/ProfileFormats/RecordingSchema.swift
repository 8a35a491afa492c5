import GRDB

/// The tables of a recording: docs/formats/recording.md explains them.
enum RecordingSchema {
  /// `PRAGMA application_id`: the letters `QPRF`.
  static let applicationID: Int64 = 0x5150_5246
  /// `PRAGMA user_version`. Rises when a table that exists changes its meaning or columns; a new
  /// table leaves it alone, so that older tools still read the file.
  static let version: Int64 = 1

  /// The columns that the reader needs, by table.
  static let tables: [(name: String, columns: String)] = [
    ("meta", "key, value"),
    // As a BLOB, because the text interface stops at a NUL.
    ("string", "id, CAST(text AS BLOB)"),
    ("mapping", "id, kind, path, build_id, start_address, end_address, file_offset"),
    ("function", "id, name, system_name, file, start_line"),
    ("location", "id, mapping, address, function, line, marker"),
    ("inlined", "location, depth, function, line"),
    ("stack", "id, up, location"),
    ("process", "id, pid, parent_pid, name, start_ns, end_ns"),
    ("thread", "id, process, tid, name"),
    ("sample", "id, delta_us, thread, stack, weight"),
    ("loss", "reason, events, weight, processes"),
  ]

  /// Row ids are the positions in the profile's tables, from 0. No table has an index besides its
  /// key: the reader scans, and a page of index is a page more to write each second.
  static let sql = """
    CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
    CREATE TABLE string(id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE mapping(
      id INTEGER PRIMARY KEY, kind TEXT NOT NULL, path INTEGER NOT NULL REFERENCES string,
      build_id BLOB, start_address INTEGER NOT NULL, end_address INTEGER NOT NULL,
      file_offset INTEGER NOT NULL);
    CREATE TABLE function(
      id INTEGER PRIMARY KEY, name INTEGER NOT NULL REFERENCES string,
      system_name INTEGER NOT NULL REFERENCES string, file INTEGER REFERENCES string,
      start_line INTEGER NOT NULL);
    CREATE TABLE location(
      id INTEGER PRIMARY KEY, mapping INTEGER REFERENCES mapping, address INTEGER,
      function INTEGER REFERENCES function, line INTEGER, marker TEXT);
    CREATE TABLE inlined(
      location INTEGER NOT NULL REFERENCES location, depth INTEGER NOT NULL,
      function INTEGER NOT NULL REFERENCES function, line INTEGER NOT NULL,
      PRIMARY KEY(location, depth)) WITHOUT ROWID;
    CREATE TABLE stack(
      id INTEGER PRIMARY KEY, up INTEGER, location INTEGER NOT NULL REFERENCES location);
    CREATE TABLE process(
      id INTEGER PRIMARY KEY, pid INTEGER NOT NULL, parent_pid INTEGER NOT NULL,
      name INTEGER NOT NULL REFERENCES string, start_ns INTEGER NOT NULL, end_ns INTEGER);
    CREATE TABLE thread(
      id INTEGER PRIMARY KEY, process INTEGER NOT NULL REFERENCES process, tid INTEGER NOT NULL,
      name INTEGER NOT NULL REFERENCES string);
    CREATE TABLE sample(
      id INTEGER PRIMARY KEY, delta_us INTEGER NOT NULL, thread INTEGER REFERENCES thread,
      stack INTEGER REFERENCES stack, weight INTEGER NOT NULL);
    CREATE TABLE loss(
      reason TEXT PRIMARY KEY, events INTEGER NOT NULL, weight INTEGER NOT NULL,
      processes TEXT) WITHOUT ROWID;
    CREATE VIEW timed_sample AS
      SELECT id, sum(delta_us) OVER (ORDER BY id) AS time_us, thread, stack, weight FROM sample;
    CREATE VIEW stack_node AS SELECT id, id - up AS parent, location FROM stack;
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
    try db.execute(sql: sql)
  }

  /// Keys of ``meta`` that say how far the recording got; written as 0 or 1.
  static let symbolizedKey = "symbolized"
  static let completeKey = "complete"
}
