import CElfutils
import Elf

/// Which compilation unit an address belongs to.
struct UnitTable {
  private struct Span {
    let start: UInt64
    let end: UInt64
    let unit: Int
    /// The largest end of this and all earlier spans.
    var reach: UInt64 = 0
  }

  private var units: [CompilationUnit] = []
  private var spans: [Span] = []

  /// Code that a linker dropped is left at small addresses, so spans can overlap. More units than
  /// this are not tried for one address.
  private static let overlapLimit = 8

  init(_ dwarf: OpaquePointer) {
    var next: OpaquePointer?
    var current: OpaquePointer?
    var root = Dwarf_Die()
    var split = Dwarf_Die()
    while true {
      split.addr = nil
      guard dwarf_get_units(dwarf, current, &next, nil, nil, &root, &split) == 0, next != current
      else { break }
      current = next
      add(CompilationUnit(skeleton: root, content: split.addr == nil ? root : split))
    }
    spans.sort { ($0.start, $0.end, $0.unit) < ($1.start, $1.end, $1.unit) }
    var reach: UInt64 = 0
    for index in spans.indices {
      reach = max(reach, spans[index].end)
      spans[index].reach = reach
    }
  }

  private mutating func add(_ unit: CompilationUnit) {
    var skeleton = unit.skeleton
    let ranges = AddressRanges(&skeleton)
    guard !ranges.isEmpty else { return }
    units.append(unit)
    spans += ranges.map { Span(start: $0.lowerBound, end: $0.upperBound, unit: units.count - 1) }
  }

  /// Units with the indices of those of the sorted `addresses` that lie in them. An address in
  /// several units is listed under each, the closest first.
  func hits(_ addresses: [UInt64]) -> [(CompilationUnit, [Int])] {
    var first: [Int: [Int]] = [:]
    var others: [Int: [Int]] = [:]
    for (index, address) in addresses.enumerated() {
      for (rank, unit) in candidates(address).enumerated() {
        if rank == 0 {
          first[unit, default: []].append(index)
        } else {
          others[unit, default: []].append(index)
        }
      }
    }
    let byUnit = [first, others].flatMap { $0.sorted { $0.key < $1.key } }
    return byUnit.map { (units[$0.key], $0.value) }
  }

  private func candidates(_ address: UInt64) -> [Int] {
    var result: [Int] = []
    var index = spans.partitioningIndex { $0.start > address } - 1
    while index >= 0, spans[index].reach > address, result.count < Self.overlapLimit {
      if address < spans[index].end, !result.contains(spans[index].unit) {
        result.append(spans[index].unit)
      }
      index -= 1
    }
    return result
  }
}

/// The addresses of an entry: `DW_AT_ranges`, or `DW_AT_low_pc` and `DW_AT_high_pc`.
struct AddressRanges: Sequence, IteratorProtocol {
  private var die: Dwarf_Die
  private var offset = 0
  private var base: Dwarf_Addr = 0
  /// A damaged list must end.
  private var remaining = 1_000_000

  init(_ die: inout Dwarf_Die) { self.die = die }

  var isEmpty: Bool {
    var copy = self
    return copy.next() == nil
  }

  mutating func next() -> Range<UInt64>? {
    while remaining > 0 {
      remaining -= 1
      var start: Dwarf_Addr = 0
      var end: Dwarf_Addr = 0
      offset = dwarf_ranges(&die, offset, &base, &start, &end)
      guard offset > 0 else { break }
      if start < end { return start..<end }
    }
    remaining = 0
    return nil
  }
}
