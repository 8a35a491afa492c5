/// The boxes of a flame graph in sample weight, and the only way from weight to pixels.
///
/// Starts and widths are integers, and a pixel position is one rounded-down division of a start:
/// neighbours share their border, and a parent's borders enclose those of its children.
package struct FlameLayout: Sendable {
  package struct Box: Sendable {
    package enum Content: Sendable {
      case node(Int32)
      /// Children of the box below that are too narrow or too deep to draw, largest first.
      case merged([Int32])
    }
    package var content: Content
    package var start: Int64
    package var width: Int64
    /// 0 for the root.
    package var level: Int
  }

  /// What is drawn as it is.
  package struct Limits: Sendable {
    /// Boxes narrower than this many hundredths of a pixel are merged into one of their parent.
    package var narrowest = 50
    /// Levels above the root; what is above the last is merged.
    package var levels = 512
    package init() {}
  }

  /// Parents before their children, siblings from left to right.
  package private(set) var boxes: [Box] = []
  /// Width of each node of the tree.
  package let widths: [Int64]
  /// Width of the root.
  package let total: Int64
  /// Number of levels with a box, the root's included.
  package private(set) var levels = 1
  /// Width of the picture in pixels.
  package let pixels: Int

  /// Lays out `tree` with `widths`, one for each node; a node's is at least the sum of those of
  /// its children.
  package init(_ tree: FlameTree, widths: [Int64], pixels: Int, limits: Limits = Limits()) {
    self.pixels = pixels
    self.widths = widths
    total = widths[0]
    guard total > 0 else { return }
    var pending = [Box(content: .node(0), start: 0, width: total, level: 0)]
    while let box = pending.popLast() {
      boxes.append(box)
      levels = max(levels, box.level + 1)
      guard case .node(let node) = box.content else { continue }
      pending += children(of: node, in: box, tree, widths, limits).reversed()
    }
  }

  /// The left border of what starts at `weight`, in hundredths of a pixel.
  package func position(_ weight: Int64) -> Int {
    let product = UInt64(weight).multipliedFullWidth(by: UInt64(pixels) * 100)
    return Int(UInt64(total).dividingFullWidth(product).quotient)
  }

  private func children(
    of node: Int32, in box: Box, _ tree: FlameTree, _ widths: [Int64], _ limits: Limits
  ) -> [Box] {
    var result: [Box] = []
    var small: [Int32] = []
    var start = box.start
    for child in tree.children(of: node) {
      let width = widths[Int(child)]
      guard position(width) >= limits.narrowest, box.level < limits.levels else {
        if width > 0 { small.append(child) }
        continue
      }
      result.append(Box(content: .node(child), start: start, width: width, level: box.level + 1))
      start += width
    }
    if !small.isEmpty {
      small.sort { widths[Int($0)] > widths[Int($1)] }
      let width = small.reduce(0) { $0 + widths[Int($1)] }
      result.append(Box(content: .merged(small), start: start, width: width, level: box.level + 1))
    }
    return result
  }
}
