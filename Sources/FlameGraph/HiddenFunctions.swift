/// Functions with frames inside merged boxes, and the weight each has there.
///
/// With them a search tells the whole share of a function although not all of its frames are
/// drawn. A stack counts once for a function, and not at all where a drawn frame of the same
/// function is below: the search has counted that one already.
struct HiddenFunctions {
  /// By index into the frames of the tree; zero for functions that are drawn wherever they occur.
  private(set) var weights: [Int64]

  init(_ tree: FlameTree, _ layout: FlameLayout) {
    weights = Array(repeating: 0, count: tree.frames.count)
    let merged = layout.boxes.flatMap { box -> [Int32] in
      if case .merged(let nodes) = box.content { nodes } else { [] }
    }
    guard !merged.isEmpty else { return }
    var startsHidden = [Bool](repeating: false, count: tree.nodes.count)
    for node in merged { startsHidden[Int(node)] = true }

    // Depth first; a node that is left is on the list as its complement.
    var open = [Int32](repeating: 0, count: tree.frames.count)
    var hiddenLevels = 0
    var pending: [Int32] = [0]
    while let next = pending.popLast() {
      let isEntered = next >= 0
      let node = Int(isEntered ? next : ~next)
      let frame = Int(tree.nodes[node].frame)
      if !isEntered {
        open[frame] -= 1
        if startsHidden[node] { hiddenLevels -= 1 }
        continue
      }
      if startsHidden[node] { hiddenLevels += 1 }
      if hiddenLevels > 0, open[frame] == 0 { weights[frame] += layout.widths[node] }
      open[frame] += 1
      pending.append(~next)
      pending += tree.children(of: next)
    }
  }
}
