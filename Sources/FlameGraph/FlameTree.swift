/// What one box of a flame graph is about.
package struct FlameFrame: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// The root, which stands for everything that was recorded.
    case all
    case process
    case thread
    case code
    /// A `FrameMarker`: no code, but the reason why a stack stops or has no place.
    case marker
  }
  package var kind: Kind
  package var name: String
  /// Path of the mapped file; empty when unknown, and for what is no code.
  package var module: String
  package var file: String?

  package init(kind: Kind, name: String, module: String = "", file: String? = nil) {
    self.kind = kind
    self.name = name
    self.module = module
    self.file = file
  }
}

/// Stacks merged from the root: each path of equal frames is one node.
///
/// Children are merged by frame and never by the order of text lines, so one parent has at most
/// one child of a kind, name and module. Links are indices into ``nodes``; a parent stands before
/// its children, and the root is node 0.
package struct FlameTree: Sendable {
  package struct Node: Sendable {
    /// Index into ``FlameTree/frames``.
    package var frame: Int32
    /// -1 for the root.
    package var parent: Int32
    /// -1 when there is none. Siblings follow each other by name.
    package var firstChild: Int32 = -1
    package var nextSibling: Int32 = -1
    /// Source line, where all samples of the node agree on it; 0 when they do not.
    package var line: Int32
    /// Weight of the stacks that end here.
    package var own: Int64 = 0
    /// Weight of the stacks that pass through or end here.
    package var total: Int64 = 0
  }

  package internal(set) var frames: [FlameFrame]
  package internal(set) var nodes: [Node]

  package func frame(of node: Int32) -> FlameFrame { frames[Int(nodes[Int(node)].frame)] }

  /// The children of a node, by name.
  package func children(of node: Int32) -> [Int32] {
    var result: [Int32] = []
    var next = nodes[Int(node)].firstChild
    while next >= 0 {
      result.append(next)
      next = nodes[Int(next)].nextSibling
    }
    return result
  }

  /// Each node's sum of `own` over itself and everything above it.
  ///
  /// Cannot overflow: the builder bounds the sum of all weights.
  func accumulate(_ own: [Int64]) -> [Int64] {
    var totals = own
    for index in nodes.indices.dropFirst().reversed() {
      totals[Int(nodes[index].parent)] += totals[index]
    }
    return totals
  }

  /// How many nodes each node and everything above it are.
  func sizes() -> [Int] {
    var sizes = [Int](repeating: 1, count: nodes.count)
    for index in nodes.indices.dropFirst().reversed() {
      sizes[Int(nodes[index].parent)] += sizes[index]
    }
    return sizes
  }

  /// Chains the children of every node by kind, name and module.
  mutating func linkChildren() {
    // The nodes of each frame, as chains. No parent has two children of one frame, so taking the
    // frames in order puts every node's children in order.
    var first = [Int32](repeating: -1, count: frames.count)
    var next = [Int32](repeating: -1, count: nodes.count)
    for index in nodes.indices.dropFirst() {
      let frame = Int(nodes[index].frame)
      next[index] = first[frame]
      first[frame] = Int32(index)
    }
    for frame in frames.indices.sorted(by: { frames[$1].precedes(frames[$0]) }) {
      var node = Int(first[frame])
      while node >= 0 {
        let parent = Int(nodes[node].parent)
        nodes[node].nextSibling = nodes[parent].firstChild
        nodes[parent].firstChild = Int32(node)
        node = Int(next[node])
      }
    }
  }
}

extension FlameFrame {
  /// Order of siblings: by name, and by module where one name is in several.
  fileprivate func precedes(_ other: FlameFrame) -> Bool {
    (name, module) < (other.name, other.module)
  }
}
