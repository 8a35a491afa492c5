package import ProfileModel

/// A profile as a flame graph: one standalone SVG file that is complete without its script.
package struct FlameGraph: Sendable {
  package let tree: FlameTree
  package let layout: FlameLayout
  private let options: FlameGraphOptions
  private let headlines: Headlines
  private let quantities: Quantities
  private let scheme: Palette.Scheme

  package init(_ profile: Profile, options: FlameGraphOptions = FlameGraphOptions()) {
    self.options = options
    tree = FlameTree(profile, grouping: options.grouping)
    layout = FlameLayout(
      tree, widths: tree.nodes.map(\.total), pixels: options.frameWidth, limits: options.limits)
    quantities = Quantities(profile)
    scheme = profile.heapMetric == nil ? .time : .memory
    headlines = Headlines(profile, tree: tree, quantities: quantities, options: options)
  }

  package func svg() -> String {
    FlamePicture(
      tree: tree, layout: layout,
      style: ModuleStyle(tree, quantities: quantities, scheme: scheme), headlines: headlines,
      options: options
    ).svg()
  }
}

/// Colours and words for boxes and legend: what a plain flame graph and a differential do not
/// share.
protocol FlameStyle {
  /// What the percentages of a search are shares of: `of all`.
  var whole: String { get }
  var legend: [LegendEntry] { get }
  func look(of node: Int32) -> FrameLook
  /// The lines of the tooltip below the name.
  func facts(about node: Int32) -> [String]
  /// The same for merged children.
  func facts(aboutMerged nodes: [Int32]) -> String
}

struct FrameLook {
  var fill: Colour
  /// Before the name in the label: `+ `.
  var sign = ""
  /// Drawn hatched: it is no longer there.
  var isGone = false
}

struct LegendEntry {
  var fill: Colour
  var text: String
  var isGone = false
}

/// Frames coloured by module.
struct ModuleStyle: FlameStyle {
  let whole = "of all"
  let legend: [LegendEntry]
  private let tree: FlameTree
  private let quantities: Quantities
  private let scheme: Palette.Scheme
  private var total: Double { Double(tree.nodes[0].total) }

  init(_ tree: FlameTree, quantities: Quantities, scheme: Palette.Scheme) {
    self.tree = tree
    self.quantities = quantities
    self.scheme = scheme
    legend = Self.legend(tree, scheme)
  }

  func look(of node: Int32) -> FrameLook {
    FrameLook(fill: Palette.fill(of: tree.frame(of: node), scheme))
  }

  func facts(about index: Int32) -> [String] {
    let node = tree.nodes[Int(index)]
    var lines = [tree.place(of: index), amount(node.total)]
    if node.own > 0, node.firstChild >= 0 { lines.append("self " + amount(node.own)) }
    return lines.filter { !$0.isEmpty }
  }

  func facts(aboutMerged nodes: [Int32]) -> String {
    amount(nodes.reduce(0) { $0 + tree.nodes[Int($1)].total })
  }

  /// `1.23 s (4.1 %), 123 samples`.
  private func amount(_ weight: Int64) -> String {
    let share = Quantities.percent(Double(weight), of: total)
    let count = quantities.count(Double(weight)).map { ", " + $0 } ?? ""
    return "\(quantities.text(Double(weight))) (\(share))\(count)"
  }

  /// Modules by the weight of the code in them, each with its share.
  private static func legend(_ tree: FlameTree, _ scheme: Palette.Scheme) -> [LegendEntry] {
    var weights: [String: Int64] = [:]
    for node in tree.nodes where node.own > 0 {
      let frame = tree.frames[Int(node.frame)]
      if frame.kind == .code { weights[Profile.basename(frame.module), default: 0] += node.own }
    }
    guard weights.keys.contains(where: { !$0.isEmpty }) else { return [] }
    return weights.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { module, weight in
      LegendEntry(
        fill: Palette.legend(ofModule: module, scheme),
        text: (module.isEmpty ? "unknown module" : VisibleText.of(module)) + " "
          + Quantities.percent(Double(weight), of: Double(tree.nodes[0].total)))
    }
  }
}

extension FlameTree {
  /// Module and source line of a node: `libcrypto.so.3 · ml_dsa.c:120`.
  func place(of node: Int32) -> String {
    let frame = frame(of: node)
    switch frame.kind {
    case .all: return ""
    case .process: return "process"
    case .thread: return "thread"
    case .marker: return "not code: the stack is incomplete here"
    case .code: break
    }
    let line = nodes[Int(node)].line
    let source = frame.file.map { line > 0 ? "\($0):\(line)" : $0 }
    return [frame.module, source ?? ""].filter { !$0.isEmpty }.joined(separator: " · ")
  }
}
