import ProfileModel

extension HeapDocument {
  struct Amount: Encodable {
    var count: Int64
    var bytes: Int64
    init(_ amount: HeapAmount) {
      count = amount.count
      bytes = amount.bytes
    }
  }

  struct Frame: Encodable {
    var name: String
    var module: String
    var file: String?
    var line: Int32?
    init(_ frame: ProfileModel.Frame) {
      name = frame.name
      module = frame.module
      file = frame.file
      line = frame.line > 0 ? frame.line : nil
    }
  }

  struct Site: Encodable {
    var program: String
    var value: Int64
    var share: Double
    /// Half of the 95 % interval of `value`.
    var margin: Double?
    var drawn: Int64?
    var allocated: Amount
    var freed: Amount
    var atPeak: Amount
    var live: Amount
    var suppressed: Amount
    var temporary: Amount
    var paths: Int
    var callers: [Frame]

    init(_ site: AllocationSite, _ metric: HeapMetric, of whole: Int64, _ heap: HeapReport) {
      let amounts = site.amounts
      program = site.key.program
      value = amounts.value(metric)
      share = Share(value, of: whole, samples: nil).value
      if heap.isSampled {
        margin = amounts.margin(metric)
        drawn = amounts.drawn
      }
      allocated = Amount(amounts.allocated)
      freed = Amount(amounts.freed)
      atPeak = Amount(amounts.atPeak)
      live = Amount(amounts.live)
      suppressed = Amount(amounts.suppressed)
      temporary = Amount(amounts.temporary)
      paths = site.stacks.count { $0.amounts.value(metric) > 0 }
      callers = heap.names.callers(of: site.mainStack(by: metric)).map(Frame.init)
    }
  }

  /// Nodes from the root down, each with its depth.
  struct HeapTree: Encodable {
    struct Node: Encodable {
      var depth: Int
      var name: String
      var module: String
      var own: Int64
      var cumulative: Int64

      private enum CodingKeys: String, CodingKey {
        case depth, name, module, cumulative
        case own = "self"
      }
    }
    var metric: String
    var minimumShare: Double
    var nodes: [Node] = []

    init?(_ report: Report) {
      guard let tree = report.heapTree, !tree.roots.isEmpty else { return nil }
      metric = report.options.treeMetric.rawValue
      minimumShare = report.options.minimumTreeShare
      var pending = tree.roots.reversed().map { (place: $0, depth: 0) }
      while let next = pending.popLast() {
        let node = tree.nodes[next.place]
        nodes.append(
          Node(
            depth: next.depth, name: node.function.name, module: node.function.module,
            own: node.flat.weight, cumulative: node.cumulative.weight))
        pending += node.children.reversed().map { (place: $0, depth: next.depth + 1) }
      }
    }
  }
}
