import CElfutils

/// The functions of a unit around given addresses, with what was inlined into them.
///
/// The unit's entries are walked once, in file order. An inlined call is looked at only inside a
/// function that has one of the addresses.
struct ScopeTree {
  struct Scope {
    var die: Dwarf_Die
    /// The scope this one is inlined into; nil for a function of its own.
    var parent: Int?
    var callFile = 0
    var callLine: Int32 = 0
  }

  private let addresses: [UInt64]
  private var scopes: [Scope] = []
  /// The innermost scope of each address.
  private var innermost: [Int?]

  /// Deeper entries are not read: compilers stay below 100.
  private static let depthLimit = 512

  init(_ unit: Dwarf_Die, _ addresses: [UInt64]) {
    self.addresses = addresses
    innermost = Array(repeating: nil, count: addresses.count)
    walk(unit)
  }

  /// The scopes around the address with this index, innermost first.
  func chain(at index: Int) -> [Scope] {
    var result: [Scope] = []
    var next = innermost[index]
    while let scope = next {
      result.append(scopes[scope])
      next = scopes[scope].parent
    }
    return result
  }

  // MARK: - Walking

  private mutating func walk(_ unit: Dwarf_Die) {
    // The entries around the current one, from the unit inwards.
    var open: [(die: Dwarf_Die, scope: Int?)] = []
    var die = unit
    var scope: Int?
    var descend = true
    while true {
      var next = Dwarf_Die()
      if descend, open.count < Self.depthLimit, dwarf_child(&die, &next) == 0,
        Self.follows(next, die)
      {
        open.append((die, scope))
      } else {
        while true {
          guard !open.isEmpty else { return }
          if dwarf_siblingof(&die, &next) == 0, Self.follows(next, die) { break }
          die = open.removeLast().die
        }
      }
      die = next
      (scope, descend) = enter(&die, outer: open.last?.scope)
    }
  }

  /// Entries lie one after another; a link of a damaged file that points back would never end.
  private static func follows(_ next: Dwarf_Die, _ die: Dwarf_Die) -> Bool {
    UInt(bitPattern: next.addr) > UInt(bitPattern: die.addr)
  }

  /// The scope of the children of `die`, and whether they can matter.
  private mutating func enter(_ die: inout Dwarf_Die, outer: Int?) -> (Int?, Bool) {
    switch Int(dwarf_tag(&die)) {
    case DW_TAG_subprogram:
      // Nested functions have code of their own: what is around them does not matter.
      return (add(&die, parent: nil), true)
    case DW_TAG_inlined_subroutine:
      guard let outer, let scope = add(&die, parent: outer) else { return (nil, false) }
      scopes[scope].callFile = Int(clamping: die.constant(DW_AT_call_file))
      scopes[scope].callLine = Int32(clamping: die.constant(DW_AT_call_line))
      return (scope, true)
    case DW_TAG_lexical_block, DW_TAG_try_block, DW_TAG_catch_block, DW_TAG_with_stmt,
      DW_TAG_namespace, DW_TAG_module, DW_TAG_class_type, DW_TAG_structure_type,
      DW_TAG_union_type, DW_TAG_interface_type, DW_TAG_entry_point:
      return (outer, true)
    default:
      return (nil, false)
    }
  }

  /// A new scope for the addresses that lie in `die` and, so far, directly in `parent`.
  private mutating func add(_ die: inout Dwarf_Die, parent: Int?) -> Int? {
    var isNew = true
    for range in AddressRanges(&die) {
      var index = firstIndex(from: range.lowerBound)
      while index < addresses.count, addresses[index] < range.upperBound {
        if innermost[index] == parent {
          if isNew { scopes.append(Scope(die: die, parent: parent)) }
          isNew = false
          innermost[index] = scopes.count - 1
        }
        index += 1
      }
    }
    return isNew ? nil : scopes.count - 1
  }

  private func firstIndex(from address: UInt64) -> Int {
    var low = 0
    var high = addresses.count
    while low < high {
      let middle = low + (high - low) / 2
      if addresses[middle] < address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension Dwarf_Die {
  /// A number that this entry itself has, or 0.
  fileprivate mutating func constant(_ name: Int) -> UInt64 {
    var attribute = Dwarf_Attribute()
    var value: Dwarf_Word = 0
    guard dwarf_attr(&self, UInt32(name), &attribute) != nil,
      dwarf_formudata(&attribute, &value) == 0
    else { return 0 }
    return value
  }
}
