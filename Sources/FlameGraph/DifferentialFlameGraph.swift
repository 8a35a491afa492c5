package import ProfileModel

/// What changed from one profile to another: boxes as wide as the larger side, coloured by the
/// relative change of everything in and above them.
package struct DifferentialFlameGraph: Sendable {
  package let difference: FlameDifference
  package let layout: FlameLayout
  private let style: ChangeStyle
  private let headlines: Headlines
  private let options: FlameGraphOptions

  package init(
    base: Profile, current: Profile, options: FlameGraphOptions = FlameGraphOptions()
  ) {
    self.options = options
    difference = FlameDifference(
      base: base, current: current, grouping: options.grouping,
      scalesBase: options.scalesBase ?? (current.heapMetric == nil))
    layout = FlameLayout(
      difference.tree, widths: difference.widths(), pixels: options.frameWidth,
      limits: options.limits)
    style = ChangeStyle(difference, quantities: Quantities(current))
    headlines = Headlines(from: base, to: current, difference, options: options)
  }

  package func svg() -> String {
    FlamePicture(
      tree: difference.tree, layout: layout, style: style, headlines: headlines, options: options
    ).svg()
  }
}

/// Frames coloured by change: red grew, blue shrank, nearly white where chance explains it.
/// A sign in the label says the same without colour.
struct ChangeStyle: FlameStyle {
  let whole = "of the width"
  let legend: [LegendEntry]
  private let difference: FlameDifference
  private let quantities: Quantities

  init(_ difference: FlameDifference, quantities: Quantities) {
    self.difference = difference
    self.quantities = quantities
    legend = [
      LegendEntry(fill: Palette.change(1), text: "+ grew (full colour: doubled)"),
      LegendEntry(fill: Palette.change(-1), text: "− shrank (halved)"),
      LegendEntry(
        fill: Palette.change(0),
        text: difference.isExact ? "did not change" : "within sampling noise"),
      LegendEntry(fill: Palette.change(-1), text: "gone", isGone: true),
    ]
  }

  func look(of node: Int32) -> FrameLook {
    let (before, after) = (difference.before(node), difference.after(node))
    guard difference.isSignificant(node) else {
      return FrameLook(fill: Palette.change(0), isGone: after == 0)
    }
    let doublings = before == 0 ? 1 : after == 0 ? -1 : (after / before).binaryLogarithm
    return FrameLook(
      fill: Palette.change(doublings), sign: after > before ? "+ " : "− ", isGone: after == 0)
  }

  func facts(about node: Int32) -> [String] {
    let index = Int(node)
    let tree = difference.tree
    var lines = [tree.place(of: node), change(difference.before(node), difference.after(node))]
    lines.append(verdict(on: node))
    let own = (before: difference.ownBefore[index], after: Double(tree.nodes[index].own))
    if tree.nodes[index].firstChild >= 0, own.before > 0 || own.after > 0 {
      lines.append("self " + change(own.before, own.after))
    }
    return lines.filter { !$0.isEmpty }
  }

  func facts(aboutMerged nodes: [Int32]) -> String {
    change(
      nodes.reduce(0) { $0 + difference.before($1) }, nodes.reduce(0) { $0 + difference.after($1) })
  }

  /// `before 1.23 s (4.1 %) → after 2.01 s (6.6 %)`.
  private func change(_ before: Double, _ after: Double) -> String {
    func side(_ weight: Double, _ total: Double) -> String {
      "\(quantities.text(weight)) (\(Quantities.percent(weight, of: total)))"
    }
    return "before \(side(before, difference.before(0))) → after "
      + side(after, difference.after(0))
  }

  /// `+0.78 s (+63 %)`, and what to think of it.
  private func verdict(on node: Int32) -> String {
    let (before, after) = (difference.before(node), difference.after(node))
    let sign = after > before ? "+" : after < before ? "−" : "±"
    let amount = sign + quantities.text(abs(after - before))
    let share = Quantities.decimal(100 * abs(after - before) / max(before, .ulpOfOne), places: 0)
    let relative = before == 0 ? "new" : after == 0 ? "gone" : "\(sign)\(share) %"
    return "\(amount) (\(relative))"
      + (difference.isSignificant(node) || difference.isExact ? "" : ", within sampling noise")
  }
}
