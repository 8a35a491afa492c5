/// A function as tables and trees count it: everything with the same name in the same module.
package struct CalledFunction: Hashable, Sendable {
  package var name: String
  /// Path of the mapped file; empty when unknown.
  package var module: String
  /// Set where the frame is no code.
  package var marker: FrameMarker?
  /// The name comes from a symbol, not from the address.
  package var isSymbolised: Bool

  init(_ frame: Frame, at place: Location.Place) {
    name = frame.name
    module = frame.module
    switch place {
    // Also what is known of a function without a symbol, where it starts, is written that way.
    case .code: isSymbolised = !name.hasPrefix(Profile.basename(module) + "+0x")
    case .unmapped: isSymbolised = false
    case .named: isSymbolised = true
    case .marker(let found):
      marker = found
      isSymbolised = true
    }
  }

  /// By name, then module.
  static func inOrder(_ a: Self, _ b: Self) -> Bool {
    a.name == b.name ? a.module < b.module : a.name < b.name
  }
}

/// The functions of a profile, and which of them each location stands for.
struct FunctionIndex {
  private(set) var functions = InternTable<CalledFunction>()
  /// By location, innermost first, inlined functions included.
  private(set) var atLocation: [[ID<CalledFunction>]] = []

  init(_ profile: Profile) {
    atLocation.reserveCapacity(profile.locations.count)
    for id in profile.locations.ids {
      let place = profile.locations[id].place
      atLocation.append(
        profile.frames(of: id).map { functions.intern(CalledFunction($0, at: place)) })
    }
  }
}

/// How much weight each function has itself and together with what it calls.
package struct FlatProfile: Sendable {
  package struct Entry: Hashable, Sendable {
    package var function: CalledFunction
    /// Samples in the function itself.
    package var flat = Tally()
    /// Samples with the function anywhere in the stack, each counted once however often it recurs.
    package var cumulative = Tally()
  }
  package enum Order: String, Sendable, CaseIterable {
    case flat
    case cumulative
  }

  package private(set) var total: Tally
  /// Flat weight of `functions` and `markers` and this one add up to `total`.
  package private(set) var withoutStack: Tally
  /// See ``StackTotals/effectiveSamples``.
  package private(set) var effectiveSamples: Double?
  /// By flat weight descending, then cumulative weight descending, then name, then module.
  package private(set) var functions: [Entry] = []
  /// Frames that are no code, in the same order.
  package private(set) var markers: [Entry] = []

  package init(_ profile: Profile) { self.init(profile, totals: StackTotals(profile)) }

  package init(_ profile: Profile, totals: StackTotals) {
    total = totals.total
    withoutStack = totals.withoutStack
    effectiveSamples = totals.effectiveSamples
    let entries = Self.entries(profile, totals).sorted { Self.inOrder($0, $1, by: .flat) }
    functions = entries.filter { $0.function.marker == nil }
    markers = entries.filter { $0.function.marker != nil }
  }

  /// The functions in another order: by that weight descending, then the other, then by name.
  package func functions(by order: Order) -> [Entry] {
    order == .flat ? functions : functions.sorted { Self.inOrder($0, $1, by: order) }
  }

  package func share(of tally: Tally) -> Share {
    Share(tally.weight, of: total.weight, samples: effectiveSamples)
  }

  /// Flat weight of code without a symbol.
  package var unsymbolised: Tally {
    functions.reduce(Tally()) { $1.function.isSymbolised ? $0 : $0 + $1.flat }
  }

  private static func entries(_ profile: Profile, _ totals: StackTotals) -> [Entry] {
    let index = FunctionIndex(profile)
    var entries = index.functions.rows.map { Entry(function: $0) }
    // The last stack in which a function was counted.
    var countedIn = Array(repeating: -1, count: entries.count)
    for (stack, tally) in totals.perStack.enumerated() where !tally.isZero {
      var isLeaf = true
      var next: ID<StackNode>? = ID(stack)
      while let id = next {
        let node = profile.stacks[id]
        for function in index.atLocation[node.location.index] {
          if isLeaf { entries[function.index].flat += tally }
          isLeaf = false
          if countedIn[function.index] != stack {
            countedIn[function.index] = stack
            entries[function.index].cumulative += tally
          }
        }
        next = node.parent
      }
    }
    return entries.filter { !$0.cumulative.isZero }
  }

  private static func inOrder(_ a: Entry, _ b: Entry, by order: Order) -> Bool {
    let flat = (a.flat.weight, b.flat.weight)
    let cumulative = (a.cumulative.weight, b.cumulative.weight)
    for (x, y) in order == .flat ? [flat, cumulative] : [cumulative, flat] where x != y {
      return x > y
    }
    return CalledFunction.inOrder(a.function, b.function)
  }
}
