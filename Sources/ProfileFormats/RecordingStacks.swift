import ProfileModel

/// The locations of a row of the table `stack`: ids of one width, in packed decimal, that is two
/// digits to a byte, the highest first. Packed decimal because the hexadecimal digits of such bytes
/// are the decimal ones of the number, and SQLite has no other way to turn bytes into numbers.
struct PackedLocations: Hashable {
  /// Bytes of an id: as many as the largest one needs.
  let width: Int
  let bytes: [UInt8]

  /// Digits of the largest id, `Int32.max`, in bytes.
  static let widths = 1...5

  init(_ ids: some Sequence<ID<Location>>) {
    let largest = ids.reduce(0) { max($0, $1.index) }
    var width = 1
    var limit = 100
    while largest >= limit {
      width += 1
      limit *= 100
    }
    self.width = width
    var bytes: [UInt8] = []
    for id in ids {
      var divisor = limit / 100
      for _ in 0..<width {
        let pair = id.index / divisor % 100
        bytes.append(UInt8((pair / 10) << 4 | pair % 10))
        divisor = max(divisor / 100, 1)
      }
    }
    self.bytes = bytes
  }

  /// The ids of a row of an untrusted file. Throws ``BrokenRule`` without the name of the row.
  static func unpack(_ bytes: [UInt8], width: Int64) throws -> [ID<Location>] {
    guard let width = Int(exactly: width), widths.contains(width) else {
      throw BrokenRule("width \(width) is not one of \(widths.lowerBound) to \(widths.upperBound)")
    }
    guard !bytes.isEmpty, bytes.count.isMultiple(of: width) else {
      throw BrokenRule("\(bytes.count) bytes are not locations of \(width) bytes")
    }
    return try stride(from: 0, to: bytes.count, by: width).map { start in
      let digits = bytes[start..<start + width]
      // At most ten digits, which cannot overflow.
      let id = try digits.reduce(0) { value, byte in
        guard byte >> 4 < 10, byte & 15 < 10 else {
          throw BrokenRule("location \(start / width) of the row has a digit above 9")
        }
        return value * 100 + Int(byte >> 4) * 10 + Int(byte & 15)
      }
      guard id <= Int(Int32.max) else {
        throw BrokenRule(
          "location \(start / width) of the row has the id \(id), which is too large")
      }
      return ID(id)
    }
  }
}

extension InternTable<StackNode> {
  /// The rows from `start` on, cut into runs in which each node is the child of the one before it.
  func runs(from start: Int) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = start
    while start < count {
      var end = start + 1
      while end < count, rows[end].parent?.index == end - 1 { end += 1 }
      runs.append(start..<end)
      start = end
    }
    return runs
  }
}

extension RecordingTables {
  mutating func readStacks() throws {
    try forEachRow(of: "stack", key: "id") { row in
      // The number of the row is that of its first node.
      let row = RecordingRow(row: row.row, table: row.table, number: profile.stacks.count)
      guard try row.int64(0) == Int64(row.number) else {
        throw row.broken("ids do not follow from the nodes before")
      }
      var parent: ID<StackNode>?
      if !row.isNull(1) {
        let up = try row.int32(1)
        guard up >= 1, Int(up) <= row.number else { throw row.broken("no parent \(up) nodes up") }
        parent = ID(row.number - Int(up))
      }
      for location in try row.locations(width: 2, bytes: 3) {
        let next = profile.stacks.count
        guard next <= Int(Int32.max) else { throw row.broken("too many nodes") }
        let id = profile.stacks.intern(StackNode(parent: parent, location: location))
        guard id.index == next else { throw row.broken("node \(next) is the same as \(id.index)") }
        parent = id
      }
    }
  }
}

extension RecordingRow {
  /// The locations of a run of stack nodes, by the columns that hold their width and their bytes.
  func locations(width: Int, bytes: Int) throws -> [ID<Location>] {
    guard let packed = try self.bytes(bytes) else { throw wrongType(bytes) }
    do {
      return try PackedLocations.unpack(packed, width: try int64(width))
    } catch let error as BrokenRule {
      throw broken(error.rule)
    }
  }
}
