/// Who called whom, from the roots of all stacks down. Inlined functions are nodes of their own.
package struct CallTree: Sendable {
  package struct Node: Sendable {
    package var function: CalledFunction
    package var flat = Tally()
    package var cumulative = Tally()
    /// Positions in ``CallTree/nodes``, by cumulative weight descending, then name.
    package var children: [Int] = []
    /// Children that were cut off, and their weight together.
    package var cutChildren = 0
    package var cut = Tally()
  }

  /// A parent comes before its children.
  package private(set) var nodes: [Node] = []
  /// Positions of the outermost functions, in the order of children.
  package private(set) var roots: [Int] = []
  package private(set) var total: Tally
  /// Roots that were cut off, and their weight together.
  package private(set) var cutRoots = 0
  package private(set) var cut = Tally()

  /// Leaves out what has less than `minimumShare` (0…1) of the whole weight, and says how much.
  package init(_ profile: Profile, minimumShare: Double = 0) {
    self.init(profile, totals: StackTotals(profile), minimumShare: minimumShare)
  }

  package init(_ profile: Profile, totals: StackTotals, minimumShare: Double) {
    total = totals.total
    var builder = Builder(profile)
    builder.add(totals)
    let minimum = Double(total.weight) * minimumShare
    (roots, cutRoots, cut) = builder.select(builder.roots, minimum: minimum)
    keep(builder, minimum: minimum)
  }

  /// Copies what was selected, parents first, and renumbers it.
  private mutating func keep(_ builder: Builder, minimum: Double) {
    var pending = roots
    roots = Array(roots.indices)
    while nodes.count < pending.count {
      var node = builder.nodes[pending[nodes.count]]
      (node.children, node.cutChildren, node.cut) = builder.select(
        node.children, minimum: minimum)
      let first = pending.count
      pending += node.children
      node.children = Array(first..<pending.count)
      nodes.append(node)
    }
  }
}

/// The whole tree, before anything is cut.
private struct Builder {
  private let profile: Profile
  private let index: FunctionIndex
  private var position: [Edge: Int] = [:]
  private(set) var nodes: [CallTree.Node] = []
  private(set) var roots: [Int] = []
  private var parents: [Int?] = []

  private struct Edge: Hashable {
    var parent: Int?
    var function: ID<CalledFunction>
  }

  init(_ profile: Profile) {
    self.profile = profile
    index = FunctionIndex(profile)
  }

  mutating func add(_ totals: StackTotals) {
    // Where the innermost function of each stack is in the tree. A parent is interned before its
    // children, so its place is known.
    var leaves: [Int?] = []
    leaves.reserveCapacity(profile.stacks.count)
    for (stack, row) in profile.stacks.rows.enumerated() {
      var place = row.parent.flatMap { leaves[$0.index] }
      for function in index.atLocation[row.location.index].reversed() {
        place = child(function, of: place)
      }
      leaves.append(place)
      if let place { nodes[place].flat += totals.perStack[stack] }
    }
    for place in nodes.indices.reversed() {
      nodes[place].cumulative += nodes[place].flat
      if let parent = parents[place] { nodes[parent].cumulative += nodes[place].cumulative }
    }
  }

  private mutating func child(_ function: ID<CalledFunction>, of parent: Int?) -> Int {
    let edge = Edge(parent: parent, function: function)
    if let known = position[edge] { return known }
    let new = nodes.count
    nodes.append(CallTree.Node(function: index.functions[function]))
    parents.append(parent)
    if let parent { nodes[parent].children.append(new) } else { roots.append(new) }
    position[edge] = new
    return new
  }

  /// Those of `places` that reach `minimum`, in order; how many do not, and their sum.
  func select(_ places: [Int], minimum: Double) -> (kept: [Int], cutCount: Int, cut: Tally) {
    let used = places.filter { !nodes[$0].cumulative.isZero }
    let kept = used.filter { Double(nodes[$0].cumulative.weight) >= minimum }
    let cut = used.filter { Double(nodes[$0].cumulative.weight) < minimum }
    return (
      kept.sorted { a, b in
        nodes[a].cumulative.weight == nodes[b].cumulative.weight
          ? CalledFunction.inOrder(nodes[a].function, nodes[b].function)
          : nodes[a].cumulative.weight > nodes[b].cumulative.weight
      }, cut.count, cut.reduce(Tally()) { $0 + nodes[$1].cumulative }
    )
  }
}
