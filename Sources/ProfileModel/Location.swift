/// A place in a program, and, once symbolised, the functions it belongs to.
package struct Location: Sendable {
  package enum Place: Hashable, Sendable {
    /// Code in a mapping. The address is the one to look up: where a frame is a caller it already
    /// points into the call (return address minus one), as pprof asks of a profile's source.
    case code(ID<Mapping>, FileAddress)
    /// Code outside every known mapping.
    case unmapped(RuntimeAddress)
    /// Known by name only: from folded stacks and other formats without addresses.
    case named(ID<Function>)
    /// Not code: why a stack stops here, or where weight is kept that belongs to no stack.
    case marker(FrameMarker)
  }
  package let place: Place
  /// Innermost first: what was inlined comes before its callers. Empty until symbolised, and
  /// afterwards where nothing is known.
  package var lines: [Line]
}

/// A function at a source line. `line` is 0 when unknown.
package struct Line: Hashable, Sendable {
  package var function: ID<Function>
  package var line: Int32
  package init(function: ID<Function>, line: Int32) {
    self.function = function
    self.line = line
  }
}

/// Frames that are no code. A marker at the root says why the stack above it has no beginning.
package enum FrameMarker: String, Hashable, Sendable, CaseIterable {
  case stackCapped = "stack capped"
  case noUnwindInfo = "no unwind info"
  case brokenChain = "broken chain"
  case objectUnloaded = "object unloaded"
  case stackUnreadable = "stack unreadable"
  case tooDeep = "too deep"
  case signalBlocked = "signal blocked"

  /// As shown in stacks: `[truncated: stack capped]`, `[signal blocked]`.
  package var label: String {
    self == .signalBlocked ? "[signal blocked]" : "[truncated: \(rawValue)]"
  }
  package init?(label: String) {
    guard let marker = Self.allCases.first(where: { $0.label == label }) else { return nil }
    self = marker
  }
  /// The stack that this marker begins is incomplete.
  package var isTruncation: Bool { self != .signalBlocked }
}

/// Locations, each distinct ``Location/Place`` once.
package struct LocationTable: Sendable {
  private var places = InternTable<Location.Place>()
  private var lines: [[Line]] = []
  package init() {}

  package var count: Int { lines.count }
  package var ids: some RandomAccessCollection<ID<Location>> & Sendable {
    (0..<lines.count).lazy.map { ID<Location>($0) }
  }
  package subscript(id: ID<Location>) -> Location {
    Location(place: places.rows[id.index], lines: lines[id.index])
  }
  package mutating func intern(_ place: Location.Place) -> ID<Location> {
    let id = places.intern(place)
    if id.index == lines.count { lines.append([]) }
    return ID(id.index)
  }
  package mutating func setLines(_ new: [Line], of id: ID<Location>) { lines[id.index] = new }
}
