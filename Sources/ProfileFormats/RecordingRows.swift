import Foundation
import GRDB
import ProfileModel

/// How much of a growing profile stands in the file already, and the statements that add the rest.
struct WrittenRows {
  private var strings = 0
  private var mappings = 0
  private var functions = 0
  private var locations = 0
  private var stacks = 0
  /// Kept whole, because rows of these tables change: processes end, threads are renamed.
  private var processes: [ProcessImage] = []
  private var threads: [ThreadInfo] = []
  /// Nil before the first transaction with a heap.
  private var heap: WrittenHeap?
  private var samples = 0
  private var lastMicroseconds: Int64 = 0

  init() {}

  /// What a file holds that `profile` was read from. Strings and functions are counted in the
  /// file: symbolising has added more of them to the profile.
  init(of profile: Profile, alreadyIn db: Database) throws {
    strings = try Int.fetchOne(db, sql: "SELECT count(*) FROM string") ?? 0
    functions = try Int.fetchOne(db, sql: "SELECT count(*) FROM function") ?? 0
    locations = try Int.fetchOne(db, sql: "SELECT count(*) FROM location") ?? 0
    guard strings <= profile.strings.count, functions <= profile.functions.count,
      locations == profile.locations.count
    else {
      throw BrokenRule("its \(locations) locations are not those of the symbolised profile")
    }
  }

  /// Writes the rows that are new or changed, and all of `profile.samples`.
  mutating func write(_ profile: Profile, in db: Database) throws {
    try writeNames(of: profile, in: db)
    try writeMappings(profile, in: db)
    try writeLocations(profile, in: db)
    try writeStacks(profile, in: db)
    try writeProcesses(profile, in: db)
    try writeThreads(profile, in: db)
    try writeSamples(profile, in: db)
    try writeHeap(profile, in: db)
    try Self.writeMeta(of: profile, in: db)
    try Self.writeLosses(profile.losses, in: db)
  }

  /// Writes new strings and functions.
  mutating func writeNames(of profile: Profile, in db: Database) throws {
    // Through BLOB, because SQLite's text interface stops at a NUL.
    let insertString = try db.cachedStatement(
      sql: "INSERT INTO string VALUES (?, CAST(? AS TEXT))")
    for (id, text) in profile.strings.rows.enumerated().dropFirst(strings) {
      try insertString.execute(arguments: [id, Data(text.utf8)])
    }
    strings = profile.strings.count

    let insertFunction = try db.cachedStatement(sql: "INSERT INTO function VALUES (?, ?, ?, ?, ?)")
    for (id, row) in profile.functions.rows.enumerated().dropFirst(functions) {
      try insertFunction.execute(arguments: [
        id, row.name.index, row.systemName.index, row.file?.index, row.startLine,
      ])
    }
    functions = profile.functions.count
  }

  private mutating func writeMappings(_ profile: Profile, in db: Database) throws {
    let insert = try db.cachedStatement(sql: "INSERT INTO mapping VALUES (?, ?, ?, ?, ?, ?, ?)")
    for (id, row) in profile.mappings.rows.enumerated().dropFirst(mappings) {
      try insert.execute(arguments: [
        id, row.kind.rawValue, row.path.index, row.buildID.map { Data($0.bytes) },
        Int64(bitPattern: row.start.rawValue), Int64(bitPattern: row.end.rawValue),
        Int64(bitPattern: row.offset.rawValue),
      ])
    }
    mappings = profile.mappings.count
  }

  private mutating func writeLocations(_ profile: Profile, in db: Database) throws {
    for id in profile.locations.ids.dropFirst(locations) {
      try Self.write(profile.locations[id], id, in: db)
    }
    locations = profile.locations.count
  }

  private static func write(_ location: Location, _ id: ID<Location>, in db: Database) throws {
    var mapping: Int?
    var address: UInt64?
    var function: Int?
    var line: Int32?
    var marker: String?
    switch location.place {
    case .code(let id, let place): (mapping, address) = (id.index, place.rawValue)
    case .unmapped(let place): address = place.rawValue
    case .named(let id): function = id.index
    case .marker(let place): marker = place.rawValue
    }
    // Only addresses are symbolised: a name is its own function, and a marker has none.
    if address != nil, let outermost = location.lines.last {
      (function, line) = (outermost.function.index, outermost.line)
      let insert = try db.cachedStatement(sql: "INSERT INTO inlined VALUES (?, ?, ?, ?)")
      for (depth, line) in location.lines.dropLast().enumerated() {
        try insert.execute(arguments: [id.index, depth, line.function.index, line.line])
      }
    }
    try db.cachedStatement(sql: "INSERT INTO location VALUES (?, ?, ?, ?, ?, ?)")
      .execute(arguments: [
        id.index, mapping, address.map(Int64.init(bitPattern:)), function, line, marker,
      ])
  }

  private mutating func writeStacks(_ profile: Profile, in db: Database) throws {
    let insert = try db.cachedStatement(sql: "INSERT INTO stack VALUES (?, ?, ?, ?)")
    for run in profile.stacks.runs(from: stacks) {
      let nodes = profile.stacks.rows[run]
      let id = run.lowerBound
      let locations = PackedLocations(nodes.map(\.location))
      try insert.execute(arguments: [
        id, nodes[id].parent.map { id - $0.index }, locations.width, Data(locations.bytes),
      ])
    }
    stacks = profile.stacks.count
  }

  private mutating func writeProcesses(_ profile: Profile, in db: Database) throws {
    let put = try db.cachedStatement(
      sql: "INSERT OR REPLACE INTO process VALUES (?, ?, ?, ?, ?, ?)")
    for (id, row) in profile.processes.rows.enumerated()
    where id >= processes.count || processes[id] != row {
      try put.execute(arguments: [
        id, row.pid, row.parentPID, row.name.index, row.start.rawValue, row.end?.rawValue,
      ])
    }
    processes = profile.processes.rows
  }

  private mutating func writeThreads(_ profile: Profile, in db: Database) throws {
    let put = try db.cachedStatement(sql: "INSERT OR REPLACE INTO thread VALUES (?, ?, ?, ?)")
    for (id, row) in profile.threads.rows.enumerated()
    where id >= threads.count || threads[id] != row {
      try put.execute(arguments: [id, row.process.index, row.tid, row.name.index])
    }
    threads = profile.threads.rows
  }

  /// The column of times is rounded before differences are taken, so that errors do not add up.
  private mutating func writeSamples(_ profile: Profile, in db: Database) throws {
    let insert = try db.cachedStatement(sql: "INSERT INTO sample VALUES (?, ?, ?, ?, ?)")
    for row in profile.samples {
      let microseconds = row.time.rawValue / 1000
      try insert.execute(arguments: [
        samples, microseconds - lastMicroseconds, row.thread?.index, row.stack?.index, row.weight,
      ])
      lastMicroseconds = microseconds
      samples += 1
    }
  }

  private mutating func writeHeap(_ profile: Profile, in db: Database) throws {
    guard let new = profile.heap else { return }
    var written = try heap ?? WrittenHeap(creatingTablesIn: db)
    try written.write(new, in: db)
    heap = written
  }

  /// Writes all locations anew with their lines, and that the recording has them. (Rows that grow
  /// in place would leave half-empty pages.)
  static func writeSymbols(of profile: Profile, in db: Database) throws {
    try db.execute(sql: "DELETE FROM inlined; DELETE FROM location")
    for id in profile.locations.ids { try write(profile.locations[id], id, in: db) }
    try setMeta(RecordingSchema.symbolizedKey, 1, in: db)
  }

  private static func writeMeta(of profile: Profile, in db: Database) throws {
    for field in MetaField.all {
      guard let value = field.value(profile) else { continue }
      try setMeta(field.key, value, in: db)
    }
  }

  static func setMeta(
    _ key: String, _ value: any DatabaseValueConvertible, in db: Database
  ) throws {
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO meta VALUES (?, ?)")
      .execute(arguments: [key, value])
  }

  private static func writeLosses(_ losses: Losses, in db: Database) throws {
    let put = try db.cachedStatement(sql: "INSERT OR REPLACE INTO loss VALUES (?, ?, ?, ?)")
    for reason in Losses.Reason.allCases {
      let count = losses[reason]
      let names = losses.processNames[reason] ?? []
      guard count != Losses.Count(events: 0, weight: 0) || !names.isEmpty else { continue }
      try put.execute(arguments: [
        reason.rawValue, count.events, count.weight, names.isEmpty ? nil : MetaField.json(names),
      ])
    }
  }
}
