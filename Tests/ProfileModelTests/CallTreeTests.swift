import ProfileModel
import TestSupport
import Testing

@Suite struct CallTreeTests {
  @Test func weightsByHand() {
    var builder = ProfileBuilder()
    builder.add(["main", "a", "b"], weight: 3)
    builder.add(["main", "a"], weight: 2)
    builder.add(["main", "b", "a", "b"], weight: 5)
    builder.add(["start"], weight: 1)
    let tree = CallTree(builder.profile)
    #expect(
      tree.lines == [
        "main 0 10", " a 2 5", "  b 3 3", " b 0 5", "  a 0 5", "   b 5 5", "start 1 1",
      ])
    #expect(tree.total == Tally(weight: 11, samples: 4))
  }

  @Test func cutSaysWhatItLeftOut() {
    var builder = ProfileBuilder()
    builder.add(["main", "hot"], weight: 90)
    builder.add(["main", "cold", "colder"], weight: 4)
    builder.add(["main", "cool"], weight: 3)
    builder.add(["other"], weight: 3)
    let tree = CallTree(builder.profile, minimumShare: 0.05)
    #expect(tree.lines == ["main 0 97", " hot 90 90"])
    #expect(tree.nodes[0].cutChildren == 2)
    #expect(tree.nodes[0].cut == Tally(weight: 7, samples: 2))
    #expect(tree.cutRoots == 1)
    #expect(tree.cut == Tally(weight: 3, samples: 1))
    #expect(CallTree(builder.profile, minimumShare: 0.03).lines.count == 6)
  }

  @Test(arguments: [UInt64(11), 12]) func eachNodeIsItsOwnWeightAndItsChildren(seed: UInt64) {
    var random = RepeatableRandom(seed: seed)
    let profile = Profile.random(samples: 2_000, using: &random)
    let tree = CallTree(profile, minimumShare: 0.002)
    #expect(tree.nodes.contains { $0.cutChildren > 0 }, "seed \(seed)")
    for node in tree.nodes {
      let below = node.children.reduce(node.cut) { $0 + tree.nodes[$1].cumulative }
      #expect(node.flat + below == node.cumulative, "seed \(seed)")
    }
    let roots = tree.roots.reduce(tree.cut) { $0 + tree.nodes[$1].cumulative }
    #expect(roots + StackTotals(profile).withoutStack == tree.total, "seed \(seed)")
  }
}

extension CallTree {
  /// `name flat cumulative` a node, indented by depth.
  fileprivate var lines: [String] {
    func lines(_ position: Int, _ depth: Int) -> [String] {
      let node = nodes[position]
      let own =
        String(repeating: " ", count: depth)
        + "\(node.function.name) \(node.flat.weight) \(node.cumulative.weight)"
      return [own] + node.children.flatMap { lines($0, depth + 1) }
    }
    return roots.flatMap { lines($0, 0) }
  }
}
