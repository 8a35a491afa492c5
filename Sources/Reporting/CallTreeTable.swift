import ProfileModel

/// A call tree as indented lines. A line goes further in only where callers part: a chain of
/// single calls stays in one column, so that deep programs fit on a screen.
struct CallTreeTable {
  private let tree: CallTree
  private let minimumShare: Double
  private let title: String
  private let weight: (Tally) -> String
  private var table = TextTable(["cumulative", "share", "self", "function"])

  /// Of samples.
  init(_ report: Report) {
    self.init(
      report.tree, title: "Call tree", minimumShare: report.options.minimumTreeShare,
      weight: report.weight)
  }

  init(
    _ tree: CallTree, title: String, minimumShare: Double, weight: @escaping (Tally) -> String
  ) {
    self.tree = tree
    self.title = title
    self.minimumShare = minimumShare
    self.weight = weight
  }

  var section: ReportSection {
    var copy = self
    copy.fill()
    let minimum = Quantities.decimal(100 * minimumShare, places: 0)
    return ReportSection(
      title, "calls below \(minimum) % are summed up, sums below \(minimum) % left out",
      .table(copy.table))
  }

  /// A line still to be written.
  private enum Item {
    /// `first` goes before the name, `rest` before the names of what it calls.
    case node(Int, first: String, rest: String)
    case cut(Int, Tally, first: String)
  }

  private mutating func fill() {
    var pending = items(tree.roots, tree.cutRoots, tree.cut, indent: "")
    while let item = pending.popLast() {
      switch item {
      case .node(let place, let first, let rest):
        let chain = chain(from: place)
        addChain(chain, first: first, rest: rest)
        let last = tree.nodes[chain.last ?? place]
        pending += items(last.children, last.cutChildren, last.cut, indent: rest)
      case .cut(let count, let tally, let first):
        add(tally, self: Tally(), first + "… \(count) more", .faint)
      }
    }
  }

  /// `place` and what follows it while each does nothing but call the next.
  private func chain(from place: Int) -> [Int] {
    var chain = [place]
    var node = tree.nodes[place]
    while node.children.count == 1 {
      let next = tree.nodes[node.children[0]]
      guard next.cumulative == node.cumulative else { break }
      chain.append(node.children[0])
      node = next
    }
    return chain
  }

  /// Long chains are shown by their ends.
  private mutating func addChain(_ chain: [Int], first: String, rest: String) {
    let end = 3
    let hidden = chain.count > 3 * end ? end..<chain.count - end : 0..<0
    for (position, place) in chain.enumerated() {
      let node = tree.nodes[place]
      if position == hidden.lowerBound, !hidden.isEmpty {
        add(node.cumulative, self: node.flat, rest + "⋮ \(hidden.count) calls", .faint)
      }
      guard !hidden.contains(position) else { continue }
      let indent = position == 0 ? first : rest
      add(node.cumulative, self: node.flat, indent + VisibleText.of(node.function.name))
    }
  }

  /// What is called from one place, last first.
  private func items(_ nodes: [Int], _ cutCount: Int, _ cut: Tally, indent: String) -> [Item] {
    let showsCut = share(cut) >= minimumShare && cutCount > 0
    let count = nodes.count + (showsCut ? 1 : 0)
    guard count > 1 || showsCut else {
      return nodes.map { .node($0, first: indent, rest: indent) }
    }
    var items = nodes.enumerated().map { position, node in
      let isLast = position == count - 1
      return Item.node(
        node, first: indent + (isLast ? "└─ " : "├─ "), rest: indent + (isLast ? "   " : "│  "))
    }
    if showsCut { items.append(.cut(cutCount, cut, first: indent + "└─ ")) }
    return items.reversed()
  }

  private mutating func add(
    _ cumulative: Tally, self flat: Tally, _ name: String, _ look: TextTable.Look = .plain
  ) {
    table.add([
      .init(weight(cumulative), look),
      .init(ReportContent.percent(share(cumulative)), look),
      .init(flat.isZero ? "" : weight(flat), .faint), .init(name, look),
    ])
  }

  private func share(_ tally: Tally) -> Double {
    Share(tally.weight, of: tree.total.weight, samples: nil).value
  }
}
