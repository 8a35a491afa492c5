/// The position of a row in a ``Table``. Rows are never removed, so an id stays valid for the
/// life of its profile; ids of two profiles must not be mixed.
package struct ID<Row>: Hashable, Comparable, Sendable {
  package var rawValue: Int32
  package init(_ rawValue: Int) { self.rawValue = Int32(rawValue) }
  package var index: Int { Int(rawValue) }
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Rows in order of arrival, addressed by ``ID``.
package struct Table<Row: Sendable>: Sendable {
  package private(set) var rows: [Row] = []
  package init() {}

  package var count: Int { rows.count }
  package var ids: some RandomAccessCollection<ID<Row>> & Sendable {
    (0..<rows.count).lazy.map { ID<Row>($0) }
  }

  package subscript(id: ID<Row>) -> Row {
    get { rows[id.index] }
    set { rows[id.index] = newValue }
  }

  @discardableResult
  package mutating func append(_ row: Row) -> ID<Row> {
    rows.append(row)
    return ID(rows.count - 1)
  }
}

/// A ``Table`` that holds each distinct row once.
package struct InternTable<Row: Hashable & Sendable>: Sendable {
  package private(set) var rows: [Row] = []
  private var index: [Row: Int32] = [:]
  package init() {}

  package var count: Int { rows.count }
  package subscript(id: ID<Row>) -> Row { rows[id.index] }
  package func id(of row: Row) -> ID<Row>? { index[row].map { ID(Int($0)) } }

  /// The id of `row`, which is added when it is new.
  ///
  /// Other modules would call the unspecialised code, which takes twice as long: interning is most
  /// of the work of reading a large profile.
  @_specialize(where Row == StackNode)
  @_specialize(where Row == Location.Place)
  @_specialize(where Row == Function)
  @_specialize(where Row == String)
  package mutating func intern(_ row: Row) -> ID<Row> {
    if let known = index[row] { return ID(Int(known)) }
    let new = Int32(rows.count)
    rows.append(row)
    index[row] = new
    return ID(Int(new))
  }
}
