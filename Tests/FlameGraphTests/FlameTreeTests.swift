import FlameGraph
import ProfileModel
import TestSupport
import Testing

@Suite struct FlameTreeTests {
  /// `path own/total` of every node, depth first in sibling order.
  private func listing(_ tree: FlameTree) -> [String] {
    var lines: [String] = []
    var pending: [(node: Int32, path: String)] = [(0, "all")]
    while let (node, path) = pending.popLast() {
      lines.append("\(path) \(tree.nodes[Int(node)].own)/\(tree.nodes[Int(node)].total)")
      for child in tree.children(of: node).reversed() {
        pending.append((child, path + ";" + tree.frame(of: child).name))
      }
    }
    return lines
  }

  @Test func mergesEqualSiblingsWhateverTheirNeighboursAreCalled() {
    // Sorted as text, `main(int) 3` falls between `main 5` and `main;foo 2`, and flamegraph.pl
    // and inferno draw two boxes for `main`.
    let tree = FlameTree(profile("main 5", "main(int) 3", "main;foo 2"))
    #expect(
      listing(tree) == ["all 0/10", "all;main 5/7", "all;main;foo 2/2", "all;main(int) 3/3"])
  }

  @Test func sharesCallersAndOrdersByName() {
    let tree = FlameTree(profile("a;z 1", "b 2", "a;c;d 4", "a 8", "a;c 16"))
    #expect(
      listing(tree) == [
        "all 0/31", "all;a 8/29", "all;a;c 16/20", "all;a;c;d 4/4", "all;a;z 1/1", "all;b 2/2",
      ])
  }

  @Test func expandsInlinedFramesFromTheOutermostIn() {
    var builder = ProfileBuilder()
    builder.addCode([("/bin/x", "outer", "x.c", 10)], weight: 3)
    let outer = Line(function: ID(0), line: 10)
    let name = builder.profile.strings.intern("inner")
    let inner = builder.profile.functions.intern(Function(name: name, systemName: name, file: nil))
    builder.profile.locations.setLines([Line(function: inner, line: 5), outer], of: ID(0))
    #expect(
      listing(FlameTree(builder.profile)) == [
        "all 0/3", "all;outer 0/3", "all;outer;inner 3/3",
      ])
  }

  @Test func keepsALineOnlyWhereAllSamplesAgree() {
    var builder = ProfileBuilder()
    builder.addCode([("/bin/x", "main", "x.c", 7), ("/bin/x", "f", "x.c", 20)], weight: 1)
    builder.addCode([("/bin/x", "main", "x.c", 7), ("/bin/x", "f", "x.c", 21)], weight: 1)
    let tree = FlameTree(builder.profile)
    #expect(tree.nodes.map(\.line) == [0, 7, 0])
  }

  @Test func oneNameInTwoModulesIsTwoFrames() {
    var builder = ProfileBuilder()
    builder.addCode([("/lib/b.so", "init", nil, 0)], weight: 1)
    builder.addCode([("/lib/a.so", "init", nil, 0)], weight: 2)
    builder.addCode([("/elsewhere/a.so", "init", nil, 0)], weight: 4)
    let tree = FlameTree(builder.profile)
    #expect(listing(tree) == ["all 0/7", "all;init 6/6", "all;init 1/1"])
  }

  @Test func processesComeFirstWhenThereAreSeveral() {
    var builder = ProfileBuilder()
    let shell = builder.addThread(process: "sh", pid: 1, tid: 1, name: "sh")
    builder.add(["main"], weight: 1, thread: shell)
    #expect(listing(FlameTree(builder.profile)) == ["all 0/1", "all;main 1/1"])

    let compiler = builder.addThread(process: "cc1", pid: 2, tid: 2, name: "worker")
    let again = builder.addThread(process: "cc1", pid: 3, tid: 3, name: "worker")
    builder.add(["main"], weight: 2, thread: compiler)
    builder.add(["main"], weight: 4, thread: again)
    #expect(
      listing(FlameTree(builder.profile)) == [
        "all 0/7", "all;cc1 0/6", "all;cc1;main 6/6", "all;sh 0/1", "all;sh;main 1/1",
      ])
    #expect(
      listing(FlameTree(builder.profile, grouping: .thread)).contains("all;cc1;worker;main 6/6"))
    #expect(
      listing(FlameTree(builder.profile, grouping: FlameTree.Grouping.none)) == [
        "all 0/7", "all;main 7/7",
      ])
  }

  @Test func aProcessAndAFunctionOfOneNameStayApart() {
    var builder = ProfileBuilder()
    let thread = builder.addThread(process: "main", pid: 1, tid: 1, name: "main")
    _ = builder.addThread(process: "other", pid: 2, tid: 2, name: "other")
    builder.add(["f"], weight: 1, thread: thread)
    builder.add(["main"], weight: 2)
    #expect(
      listing(FlameTree(builder.profile)).sorted() == [
        "all 0/3", "all;main 0/1", "all;main 2/2", "all;main;f 1/1",
      ])
  }

  @Test func markersAreFramesOfTheirOwnKind() {
    var builder = ProfileBuilder()
    builder.add(.stackCapped, then: ["f"], weight: 2)
    let tree = FlameTree(builder.profile)
    #expect(listing(tree)[1] == "all;[truncated: stack capped] 0/2")
    #expect(tree.frame(of: 1).kind == .marker)
  }

  @Test func endlessRecursionDoesNotOverflowTheStack() {
    var builder = ProfileBuilder()
    builder.add(Array(repeating: "f", count: 200_000), weight: 1)
    let graph = FlameGraph(builder.profile)
    #expect(graph.tree.nodes.count == 200_001)
    #expect(graph.layout.levels == 514)
  }

  @Test func weightsThatAreNotPositiveOrTooLargeDoNoHarm() {
    let builder = profile("a -5", "b 0", "c 3", "d \(Int64.max)", "e \(Int64.max)")
    let tree = FlameTree(builder)
    #expect(tree.children(of: 0).map { tree.frame(of: $0).name } == ["c", "d", "e"])
    #expect(tree.nodes[0].total == Int64.max / 1024)
    #expect(tree.nodes.reduce(0) { $0 + $1.own } == tree.nodes[0].total)
  }
}
