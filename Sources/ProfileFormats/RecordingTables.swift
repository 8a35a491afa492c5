import Foundation
import GRDB
import ProfileModel

/// Decodes the tables of a recording. Types and row ids are checked here, references afterwards by
/// ``Profile/checkRules()``.
struct RecordingTables {
  let db: Database
  var profile = Profile()
  var isSymbolized = false
  var isComplete = false

  init(db: Database) { self.db = db }

  mutating func read() throws {
    try readMeta()
    try readLosses()
    try readStrings()
    try readMappings()
    try readFunctions()
    try readLocations()
    try readStacks()
    try readProcesses()
    try readThreads()
    try readSamples()
    try readHeap()
  }

  private mutating func readMeta() throws {
    let fields = Dictionary(uniqueKeysWithValues: MetaField.all.map { ($0.key, $0) })
    try forEachRow(of: "meta", key: "key") { row in
      let key = try row.text(0)
      let value = row.value(1)
      switch key {
      case RecordingSchema.symbolizedKey: isSymbolized = value == 1.databaseValue
      case RecordingSchema.completeKey: isComplete = value == 1.databaseValue
      default:
        // Keys of later versions are none of our business.
        guard let field = fields[key] else { return }
        guard field.store(value, &profile) else {
          throw BrokenRule("meta \(key) has a value of the wrong type")
        }
      }
    }
  }

  private mutating func readLosses() throws {
    var seen: Set<Losses.Reason> = []
    try forEachRow(of: "loss", key: "reason") { row in
      // Reasons of later versions are passed over.
      guard let reason = Losses.Reason(rawValue: try row.text(0)) else { return }
      let (events, weight) = (try row.int64(1), try row.int64(2))
      guard events >= 0, weight >= 0, seen.insert(reason).inserted else {
        throw row.broken("negative or repeated count")
      }
      profile.losses.add(reason, events: events, weight: weight)
      if let names = MetaField.decoded([String].self, row.value(3)) {
        profile.losses.processNames[reason] = names
      }
    }
  }

  private mutating func readStrings() throws {
    try forEachRow(of: "string") { row in
      let id = profile.strings.intern(try row.text(1))
      guard id.index == row.number else { throw row.repeats(id.index) }
    }
  }

  private mutating func readMappings() throws {
    try forEachRow(of: "mapping") { row in
      guard let kind = Mapping.Kind(rawValue: try row.text(1)) else {
        throw row.broken("unknown kind '\(try row.text(1))'")
      }
      let mapping = Mapping(
        kind: kind, path: try row.id(2), buildID: try row.bytes(3).map(BuildID.init),
        start: FileAddress(try row.uint64(4)), end: FileAddress(try row.uint64(5)),
        offset: FileOffset(try row.uint64(6)))
      let id = profile.mappings.intern(mapping)
      guard id.index == row.number else { throw row.repeats(id.index) }
    }
  }

  private mutating func readFunctions() throws {
    try forEachRow(of: "function") { row in
      let function = Function(
        name: try row.id(1), systemName: try row.id(2), file: try row.optionalID(3),
        startLine: try row.int32(4))
      let id = profile.functions.intern(function)
      guard id.index == row.number else { throw row.repeats(id.index) }
    }
  }

  private mutating func readLocations() throws {
    let inlined = try readInlined()
    try forEachRow(of: "location") { row in
      let id = profile.locations.intern(try place(row))
      guard id.index == row.number else { throw row.repeats(id.index) }
      guard !row.isNull(2), !row.isNull(3) else { return }
      let line = Line(function: try row.id(3), line: try row.int32(4))
      profile.locations.setLines((inlined[id] ?? []) + [line], of: id)
    }
  }

  private func place(_ row: RecordingRow) throws -> Location.Place {
    if !row.isNull(1) { return .code(try row.id(1), FileAddress(try row.uint64(2))) }
    if !row.isNull(2) { return .unmapped(RuntimeAddress(try row.uint64(2))) }
    if !row.isNull(3) { return .named(try row.id(3)) }
    guard let marker = FrameMarker(rawValue: try row.text(5)) else {
      throw row.broken("unknown marker '\(try row.text(5))'")
    }
    return .marker(marker)
  }

  private func readInlined() throws -> [ID<Location>: [Line]] {
    var result: [ID<Location>: [Line]] = [:]
    try forEachRow(of: "inlined", key: "location, depth") { row in
      let location: ID<Location> = try row.id(0)
      // Depths that count from 0 also end the walk through a damaged tree.
      guard try row.int64(1) == Int64(result[location]?.count ?? 0) else {
        throw row.broken("depths of location \(location.index) do not count from 0")
      }
      result[location, default: []].append(
        Line(function: try row.id(2), line: try row.int32(3)))
    }
    return result
  }

  private mutating func readProcesses() throws {
    try forEachRow(of: "process") { row in
      profile.processes.append(
        ProcessImage(
          pid: try row.int32(1), parentPID: try row.int32(2), name: try row.id(3),
          start: Nanoseconds(try row.int64(4)),
          end: row.isNull(5) ? nil : Nanoseconds(try row.int64(5))))
    }
  }

  private mutating func readThreads() throws {
    try forEachRow(of: "thread") { row in
      profile.threads.append(
        ThreadInfo(process: try row.id(1), tid: try row.int32(2), name: try row.id(3)))
    }
  }

  private mutating func readSamples() throws {
    var microseconds: Int64 = 0
    try forEachRow(of: "sample") { row in
      microseconds &+= try row.int64(1)
      guard microseconds.magnitude < 1 << 52 else { throw row.broken("time is out of range") }
      profile.samples.append(
        Sample(
          time: Nanoseconds(microseconds * 1000), thread: try row.optionalID(2),
          stack: try row.optionalID(3), weight: try row.int64(4)))
    }
  }

  /// Rows in the order of their key. Ids must count from 0, which also ends the walk through a
  /// damaged tree that leads to the same page again and again.
  func forEachRow(of table: String, _ body: (RecordingRow) throws -> Void) throws {
    try forEachRow(of: table, key: "id") { row in
      guard try row.int64(0) == Int64(row.number), row.number <= Int(Int32.max) else {
        throw row.broken("ids do not count from 0")
      }
      try body(row)
    }
  }

  func forEachRow(
    of table: String, key: String, _ body: (RecordingRow) throws -> Void
  ) throws {
    guard let columns = RecordingSchema.table(table)?.columns else { return }
    let rows = try Row.fetchCursor(db, sql: "SELECT \(columns) FROM \(table) ORDER BY \(key)")
    var number = 0
    while let row = try rows.next() {
      try body(RecordingRow(row: row, table: table, number: number))
      number += 1
    }
  }
}

/// A row whose columns may hold anything: SQLite does not enforce types, and the file is untrusted.
struct RecordingRow {
  let row: Row
  let table: String
  let number: Int

  func value(_ column: Int) -> DatabaseValue { row[column] }
  func isNull(_ column: Int) -> Bool { value(column).isNull }

  func int64(_ column: Int) throws -> Int64 {
    guard case .int64(let value) = value(column).storage else { throw wrongType(column) }
    return value
  }
  func uint64(_ column: Int) throws -> UInt64 { UInt64(bitPattern: try int64(column)) }

  func int32(_ column: Int) throws -> Int32 {
    guard let value = Int32(exactly: try int64(column)) else { throw wrongType(column) }
    return value
  }

  func id<T>(_ column: Int) throws -> ID<T> {
    let value = try int32(column)
    guard value >= 0 else { throw broken("id \(value) is negative") }
    return ID(Int(value))
  }
  func optionalID<T>(_ column: Int) throws -> ID<T>? { isNull(column) ? nil : try id(column) }

  /// Text up to its end, which SQLite's text interface would place at the first NUL.
  func text(_ column: Int) throws -> String {
    switch value(column).storage {
    case .string(let text): return text
    case .blob(let bytes): return String(decoding: bytes, as: UTF8.self)
    default: throw wrongType(column)
    }
  }

  func bytes(_ column: Int) throws -> [UInt8]? {
    switch value(column).storage {
    case .null: return nil
    case .blob(let bytes): return [UInt8](bytes)
    default: throw wrongType(column)
    }
  }

  func broken(_ what: String) -> BrokenRule { BrokenRule("table \(table), row \(number): \(what)") }
  func repeats(_ other: Int) -> BrokenRule { broken("the same as row \(other)") }
  func wrongType(_ column: Int) -> BrokenRule {
    broken("column \(column) has a value of the wrong type or size")
  }
}
