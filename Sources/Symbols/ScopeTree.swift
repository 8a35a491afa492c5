import CElfutils
import Elf

/// The functions of a unit around given addresses, with what was inlined into them.
///
/// The unit's entries are walked once, in file order. An inlined call is looked at only inside a
/// function that has one of the addresses.
struct ScopeTree {
  struct Scope {
    var die: Dwarf_Die
    /// The scope this one is inlined into; nil for a function of its own.
    var parent: Int?
    /// Where it is inlined: an index into the unit's file table, and a line.
    var callFile: Int?
    var callLine: Int32 = 0
  }

  /// What a name is written in: a namespace, a type, or a function around a local type.
  private struct Context {
    var die: Dwarf_Die
    var outer: Int?
  }

  private let addresses: [UInt64]
  private var scopes: [Scope] = []
  private var contexts: [Context] = []
  /// The context of each function entry, by the entry's address in memory.
  private var contextOfFunction: [UnsafeMutableRawPointer: Int] = [:]
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

  /// Namespaces, types and functions around the declaration of `function`, outermost first. Empty
  /// for what lies in no context, or in another unit.
  func context(of function: Dwarf_Die) -> [Dwarf_Die] {
    var result: [Dwarf_Die] = []
    var next = function.declaration.addr.flatMap { contextOfFunction[$0] }
    // A damaged file could lead round in a circle.
    while let context = next, result.count < Self.depthLimit {
      let die = contexts[context].die
      result.append(die)
      // A function around a local type is written where it is declared, which can be elsewhere.
      next = die.declaration.addr.flatMap { contextOfFunction[$0] } ?? contexts[context].outer
    }
    return result.reversed()
  }

  // MARK: - Walking

  private mutating func walk(_ unit: Dwarf_Die) {
    // The entries around the current one, from the unit inwards.
    var open: [(die: Dwarf_Die, place: Place)] = []
    var die = unit
    var place = Place()
    var descend = true
    while true {
      let last = die
      var next = Dwarf_Die()
      if descend, open.count < Self.depthLimit, dwarf_child(&die, &next) == 0,
        Self.follows(next, last)
      {
        open.append((die, place))
      } else {
        while true {
          guard !open.isEmpty else { return }
          if dwarf_siblingof(&die, &next) == 0, Self.follows(next, last) { break }
          die = open.removeLast().die
        }
      }
      die = next
      place = open.last?.place ?? Place()
      descend = enter(&die, &place)
    }
  }

  /// Entries lie one after another. Links of a damaged file that lead back to entries seen before
  /// would make the walk endless.
  private static func follows(_ next: Dwarf_Die, _ last: Dwarf_Die) -> Bool {
    UInt(bitPattern: next.addr) > UInt(bitPattern: last.addr)
  }

  /// Where the walk is: in code, and in names.
  private struct Place {
    var scope: Int?
    var context: Int?
  }

  /// Changes `place` to that of the children of `die`. False when they cannot matter.
  private mutating func enter(_ die: inout Dwarf_Die, _ place: inout Place) -> Bool {
    switch Int(dwarf_tag(&die)) {
    case DW_TAG_subprogram:
      if let address = die.addr, let context = place.context {
        contextOfFunction[address] = context
      }
      enterContext(die, &place)
      // Nested functions have code of their own: what is around them does not matter.
      place.scope = add(&die, parent: nil)
      return true
    case DW_TAG_inlined_subroutine:
      guard let outer = place.scope, let scope = add(&die, parent: outer) else { return false }
      scopes[scope].callFile = die.constant(DW_AT_call_file).map { Int(clamping: $0) }
      scopes[scope].callLine = Int32(clamping: die.constant(DW_AT_call_line) ?? 0)
      place.scope = scope
      return true
    case DW_TAG_lexical_block, DW_TAG_try_block, DW_TAG_catch_block, DW_TAG_with_stmt:
      return true
    case DW_TAG_namespace, DW_TAG_module, DW_TAG_class_type, DW_TAG_structure_type,
      DW_TAG_union_type, DW_TAG_interface_type:
      enterContext(die, &place)
      return true
    default:
      return false
    }
  }

  private mutating func enterContext(_ die: Dwarf_Die, _ place: inout Place) {
    contexts.append(Context(die: die, outer: place.context))
    place.context = contexts.count - 1
  }

  /// A new scope for the addresses that lie in `die` and, so far, directly in `parent`.
  private mutating func add(_ die: inout Dwarf_Die, parent: Int?) -> Int? {
    var isNew = true
    for range in AddressRanges(&die) {
      var index = addresses.partitioningIndex { $0 >= range.lowerBound }
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
}

extension Dwarf_Die {
  /// A number that this entry itself has.
  fileprivate mutating func constant(_ name: Int) -> UInt64? {
    var attribute = Dwarf_Attribute()
    var value: Dwarf_Word = 0
    guard dwarf_attr(&self, UInt32(name), &attribute) != nil,
      dwarf_formudata(&attribute, &value) == 0
    else { return nil }
    return value
  }
}
