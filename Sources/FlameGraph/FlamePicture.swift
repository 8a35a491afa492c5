import ProfileModel

/// Writes a laid out tree as SVG.
///
/// What matters is in presentation attributes, so that the picture is right where neither style
/// sheets nor scripts run (in `<img>`, behind a strict content policy); the script in `flame.js`
/// adds zoom and search and makes its own controls.
struct FlamePicture<Style: FlameStyle> {
  let tree: FlameTree
  let layout: FlameLayout
  let style: Style
  let headlines: Headlines
  let options: FlameGraphOptions

  private let rowHeight = 17
  private let boxHeight = 16
  /// Longer names are cut, also in tooltips: nobody reads more.
  private let longestName = 2000
  /// Room for the controls of the script.
  private let footerHeight = 54

  private var legendTop: Int { headlines.warning == nil ? 54 : 72 }
  private var framesTop: Int { legendTop + (style.legend.isEmpty ? 8 : 26) }
  private var height: Int { framesTop + layout.levels * rowHeight + footerHeight }

  func svg() -> String {
    var xml = XMLWriter()
    open(&xml)
    describe(&xml)
    headers(&xml)
    legend(&xml)
    frames(&xml)
    data(&xml)
    xml.markup("<script>//<![CDATA[\n")
    xml.verbatim(PackageResources.flame_js)
    xml.markup("//]]></script>\n</svg>\n")
    return String(decoding: xml.bytes, as: UTF8.self)
  }

  // MARK: - Around the frames

  private func open(_ xml: inout XMLWriter) {
    xml.markup("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qprof-flame\" width=\"")
    xml.number(options.width)
    xml.markup("\" height=\"")
    xml.number(height)
    xml.markup("\" viewBox=\"0 0 ")
    xml.number(options.width)
    xml.markup(" ")
    xml.number(height)
    xml.markup("\" font-family=\"ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', Menlo, ")
    xml.markup("Consolas, monospace\" font-size=\"")
    xml.number(LabelFit.fontSize)
    xml.markup("\" fill=\"#000\">\n")
  }

  private func describe(_ xml: inout XMLWriter) {
    xml.markup("<title>")
    xml.text(headlines.title)
    xml.markup("</title>\n<desc>")
    for (index, line) in headlines.description.enumerated() {
      if index > 0 { xml.markup("\n") }
      xml.text(line)
    }
    xml.markup("</desc>\n")
    xml.markup(
      """
      <style>.qprof-frames g:hover rect{stroke:#000;stroke-width:0.8}</style>
      <defs><pattern id="qprof-gone" width="6" height="6" patternUnits="userSpaceOnUse">\
      <path d="M0 6L6 0M-1 1L1 -1M5 7L7 5" stroke="#000" stroke-opacity="0.35"/></pattern></defs>
      <rect width="100%" height="100%" fill="#fff"/>

      """)
  }

  private func headers(_ xml: inout XMLWriter) {
    header(headlines.title, "y=\"27\" font-size=\"18\" font-weight=\"bold\"", &xml)
    header(headlines.subtitle, "y=\"46\" fill=\"#555\"", &xml)
    if let warning = headlines.warning { header(warning, "y=\"64\" fill=\"#a1140b\"", &xml) }
    guard layout.boxes.isEmpty else { return }
    header("There are no samples to draw.", "y=\"90\" fill=\"#555\"", &xml)
  }

  private func header(_ text: String, _ attributes: StaticString, _ xml: inout XMLWriter) {
    let visible = VisibleText.of(text)
    xml.markup("<text x=\"50%\" text-anchor=\"middle\" ")
    xml.markup(attributes)
    xml.markup(">")
    let columns = LabelFit.columns(in: Double(options.width))
    xml.escaped(LabelFit.label(visible, columns: columns) ?? "")
    xml.markup("</text>\n")
  }

  /// As many entries as fit, centred in one row.
  private func legend(_ xml: inout XMLWriter) {
    var entries: [(entry: LegendEntry, x: Double)] = []
    var x = 0.0
    for entry in style.legend {
      let width = 16 + 20 + LabelFit.columnWidth * Double(entry.text.count)
      if x + width > Double(options.width) { break }
      entries.append((entry, x))
      x += width
    }
    guard !entries.isEmpty else { return }
    xml.markup("<svg x=\"50%\" y=\"")
    xml.number(legendTop)
    xml.markup("\" overflow=\"visible\">\n")
    for (entry, left) in entries {
      let left = Int(left - (x - 20) / 2)
      for fill in entry.isGone ? [entry.fill.hex, "url(#qprof-gone)"] : [entry.fill.hex] {
        xml.markup("<rect x=\"")
        xml.number(left)
        xml.markup("\" y=\"0\" width=\"11\" height=\"11\" rx=\"2\" fill=\"")
        xml.escaped(fill)
        xml.markup("\"/>")
      }
      xml.markup("<text x=\"")
      xml.number(left + 16)
      xml.markup("\" y=\"10\" fill=\"#333\">")
      xml.escaped(entry.text)
      xml.markup("</text>\n")
    }
    xml.markup("</svg>\n")
  }

  // MARK: - Frames

  private func frames(_ xml: inout XMLWriter) {
    let names = tree.frames.map { VisibleText.of(String($0.name.prefix(longestName))) }
    let sizes = tree.sizes()
    xml.markup("<g class=\"qprof-frames\" transform=\"translate(")
    xml.number(FlameGraphOptions.margin)
    xml.markup(")\">\n")
    for box in layout.boxes {
      xml.markup("<g data-x=\"")
      xml.number(box.start)
      xml.markup("\" data-w=\"")
      xml.number(box.width)
      switch box.content {
      case .node(let node):
        let name = names[Int(tree.nodes[Int(node)].frame)]
        let look = style.look(of: node)
        if !look.sign.isEmpty {
          xml.markup("\" data-sign=\"")
          xml.escaped(look.sign)
        }
        xml.markup("\"><title>")
        xml.escaped(name)
        for fact in style.facts(about: node) {
          xml.markup("\n")
          xml.text(fact)
        }
        draw(box, look, name, &xml)
      case .merged(let nodes):
        let count = nodes.reduce(0) { $0 + sizes[Int($1)] }
        let name = count == 1 ? "1 frame not drawn" : "\(count) frames not drawn"
        xml.markup("\" data-merged=\"\"><title>")
        xml.escaped(name)
        xml.markup("\n")
        xml.text(style.facts(aboutMerged: nodes))
        for node in nodes.prefix(5) {
          xml.markup("\n· ")
          xml.escaped(names[Int(tree.nodes[Int(node)].frame)])
        }
        if nodes.count > 5 { xml.markup("\n· …") }
        draw(box, FrameLook(fill: Palette.grey), name, &xml)
      }
    }
    xml.markup("</g>\n")
  }

  /// The rest of a frame's group: box and label.
  private func draw(
    _ box: FlameLayout.Box, _ look: FrameLook, _ name: String, _ xml: inout XMLWriter
  ) {
    let left = layout.position(box.start)
    let width = layout.position(box.start + box.width) - left
    let row = options.icicle ? box.level : layout.levels - 1 - box.level
    let top = framesTop + row * rowHeight
    xml.markup("</title>")
    for fill in look.isGone ? [look.fill.hex, "url(#qprof-gone)"] : [look.fill.hex] {
      xml.markup("<rect x=\"")
      xml.hundredths(left)
      xml.markup("\" y=\"")
      xml.number(top)
      xml.markup("\" width=\"")
      // A hairline of background parts neighbours that are wide enough to spare it.
      xml.hundredths(width > 200 ? width - 60 : width)
      xml.markup("\" height=\"")
      xml.number(boxHeight)
      xml.markup("\" fill=\"")
      xml.escaped(fill)
      xml.markup("\"/>")
    }
    let columns = LabelFit.columns(in: Double(width) / 100) - look.sign.count
    if let label = LabelFit.label(name, columns: columns) {
      xml.markup("<text x=\"")
      xml.hundredths(left + 350)
      xml.markup("\" y=\"")
      xml.number(top + 12)
      xml.markup("\">")
      xml.escaped(look.sign + label)
      xml.markup("</text>")
    }
    xml.markup("</g>\n")
  }

  /// What the script cannot read off the frames.
  private func data(_ xml: inout XMLWriter) {
    let hidden = HiddenFunctions(tree, layout: layout, widths: layout.widths).weights
    xml.markup("<script type=\"application/json\">{\"total\":")
    xml.number(layout.total)
    xml.markup(",\"whole\":")
    xml.json(style.whole)
    xml.markup(",\"hidden\":[")
    var isFirst = true
    for (frame, weight) in hidden.enumerated() where weight > 0 {
      if !isFirst { xml.markup(",") }
      isFirst = false
      xml.markup("[")
      xml.json(String(tree.frames[frame].name.prefix(longestName)))
      xml.markup(",")
      xml.number(weight)
      xml.markup("]")
    }
    xml.markup("]}</script>\n")
  }
}
