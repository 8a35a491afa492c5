import Markup
import ProfileModel

extension FlamePicture {
  /// A group for each box: its integers for the script, tooltip, rectangle and label.
  func frames(_ xml: inout MarkupWriter) {
    let names = tree.frames.map { VisibleText.of(String($0.name.prefix(Self.longestName))) }
    let sizes = tree.sizes()
    func name(_ node: Int32) -> String { names[Int(tree.nodes[Int(node)].frame)] }

    xml.markup("<g class=\"qprof-frames\"")
    xml.attribute("transform", "translate(\(FlameGraphOptions.margin))")
    xml.markup(">\n")
    for box in layout.boxes {
      xml.markup("<g")
      xml.attribute("data-x", box.start)
      xml.attribute("data-w", box.width)
      switch box.content {
      case .node(let node):
        let look = style.look(of: node)
        if !look.sign.isEmpty { xml.attribute("data-sign", look.sign) }
        xml.markup(">")
        tooltip(name(node), style.facts(about: node), &xml)
        draw(box, look, name(node), &xml)
      case .merged(let nodes):
        let count = nodes.reduce(0) { $0 + sizes[Int($1)] }
        let title = count == 1 ? "1 frame not drawn" : "\(count) frames not drawn"
        let largest = nodes.prefix(5).map { "· " + name($0) } + (nodes.count > 5 ? ["· …"] : [])
        xml.markup(" data-merged=\"\">")
        tooltip(title, [style.facts(aboutMerged: nodes)] + largest, &xml)
        draw(box, FrameLook(fill: Palette.grey), title, &xml)
      }
      xml.markup("</g>\n")
    }
    xml.markup("</g>\n")
  }

  private func tooltip(_ name: String, _ lines: [String], _ xml: inout MarkupWriter) {
    xml.markup("<title>")
    xml.escaped(name)
    for line in lines {
      xml.markup("\n")
      xml.text(line)
    }
    xml.markup("</title>")
  }

  private func draw(
    _ box: FlameLayout.Box, _ look: FrameLook, _ name: String, _ xml: inout MarkupWriter
  ) {
    let left = layout.position(box.start)
    let width = layout.position(box.start + box.width) - left
    let row = options.icicle ? box.level : layout.levels - 1 - box.level
    let top = framesTop + row * Self.rowHeight
    for fill in fills(look.fill, isGone: look.isGone) {
      xml.markup("<rect")
      xml.attribute("x", hundredths: left)
      xml.attribute("y", top)
      // A hairline of background parts neighbours that are wide enough to spare it.
      xml.attribute("width", hundredths: width > 200 ? width - 60 : width)
      xml.attribute("height", Self.rowHeight - 1)
      xml.attribute("fill", fill)
      xml.markup("/>")
    }
    let columns = LabelFit.columns(in: Double(width) / 100) - look.sign.count
    guard let label = LabelFit.label(name, columns: columns) else { return }
    xml.markup("<text")
    xml.attribute("x", hundredths: left + Int(LabelFit.padding * 50))
    xml.attribute("y", top + 12)
    xml.markup(">")
    xml.escaped(look.sign + label)
    xml.markup("</text>")
  }
}
