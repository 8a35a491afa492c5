import FlameGraph
import ProfileModel
import TestSupport
import Testing

@Suite struct FlameLayoutTests {
  private func layout(
    _ tree: FlameTree, pixels: Int = 1000, limits: FlameLayout.Limits = FlameLayout.Limits()
  ) -> FlameLayout {
    FlameLayout(tree, widths: tree.nodes.map(\.total), pixels: pixels, limits: limits)
  }

  @Test func placesAHandComputedTree() {
    // all 10 = a 6 (b 2, c 3, own 1) + d 3 (own 3) + own 1
    var builder = ProfileBuilder()
    builder.add(["a", "c"], weight: 3)
    builder.add(["d"], weight: 3)
    builder.add(["a", "b"], weight: 2)
    builder.add(["a"], weight: 1)
    builder.add([], weight: 1)
    let tree = FlameTree(builder.profile)
    let layout = layout(tree)
    let boxes = layout.boxes.map { box in
      guard case .node(let node) = box.content else { return "merged" }
      let left = layout.position(box.start)
      let right = layout.position(box.start + box.width)
      return "\(tree.frame(of: node).name) \(box.level) \(box.start) \(box.width) \(left) \(right)"
    }
    #expect(
      boxes == [
        "all 0 0 10 0 100000", "a 1 0 6 0 60000", "b 2 0 2 0 20000", "c 2 2 3 20000 50000",
        "d 1 6 3 60000 90000",
      ])
    #expect(layout.levels == 3)
  }

  @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
  func childrenNeverOverlapNorLeaveTheirParent(seed: UInt64) {
    let tree = FlameTree(randomProfile(stacks: 400, functions: 7, depth: 9, seed: seed))
    let layout = layout(tree, pixels: 777)
    // The right border so far, in hundredths of a pixel, of the last box at each level.
    var right = [Int](repeating: 0, count: layout.levels)
    var parents = [(left: Int, right: Int)](repeating: (0, 77_700), count: layout.levels)
    for box in layout.boxes {
      let (left, end) = (layout.position(box.start), layout.position(box.start + box.width))
      #expect(left >= right[box.level], "seed \(seed)")
      right[box.level] = end
      parents[box.level] = (left, end)
      guard box.level > 0 else { continue }
      #expect(left >= parents[box.level - 1].left && end <= parents[box.level - 1].right)
    }
  }

  @Test(arguments: [11, 12, 13] as [UInt64])
  func mergedBoxesHoldExactlyWhatIsNotDrawn(seed: UInt64) {
    let tree = FlameTree(randomProfile(stacks: 3000, functions: 40, depth: 6, seed: seed))
    let layout = layout(tree, pixels: 600)
    var drawn: [Int32: Int64] = [:]
    var merged = 0
    for box in layout.boxes {
      switch box.content {
      case .node(let node):
        #expect(box.width == tree.nodes[Int(node)].total)
        #expect(node == 0 || layout.position(box.width) >= 50)
        drawn[tree.nodes[Int(node)].parent, default: 0] += box.width
      case .merged(let nodes):
        merged += 1
        #expect(box.width == nodes.reduce(0) { $0 + tree.nodes[Int($1)].total })
        #expect(nodes.allSatisfy { layout.position(tree.nodes[Int($0)].total) < 50 })
        drawn[tree.nodes[Int(nodes[0])].parent, default: 0] += box.width
      }
    }
    #expect(merged > 10, "seed \(seed) has too few small frames to test anything")
    for (parent, width) in drawn where parent >= 0 {
      #expect(width == tree.nodes[Int(parent)].total - tree.nodes[Int(parent)].own)
    }
  }

  @Test func whatIsTooDeepIsMergedAtTheTop() {
    var limits = FlameLayout.Limits()
    limits.levels = 2
    let layout = layout(FlameTree(profile("a;b;c;d 5", "a;b;e 6")), limits: limits)
    guard case .merged(let nodes) = layout.boxes[3].content else {
      Issue.record("the fourth box is not a merged one")
      return
    }
    #expect(layout.boxes.map(\.level) == [0, 1, 2, 3])
    #expect(layout.boxes[3].width == 11 && nodes.count == 2)
  }

  @Test func hugeWeightsKeepTheirPlace() {
    let layout = layout(FlameTree(profile("a \(Int64.max / 4096)", "b \(Int64.max / 4096)")))
    #expect(layout.position(layout.boxes[2].start) == 50_000)
    #expect(layout.position(layout.total) == 100_000)
  }

  @Test func nothingHasNoBoxes() {
    #expect(layout(FlameTree(Profile())).boxes.isEmpty)
  }
}
