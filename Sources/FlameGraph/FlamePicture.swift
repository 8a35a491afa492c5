import Markup
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

  static var rowHeight: Int { 17 }
  /// Longer names are cut, also in tooltips: nobody reads more.
  static var longestName: Int { 2000 }
  /// Room for the controls of the script.
  private static var footerHeight: Int { 54 }
  private var legendTop: Int { headlines.warning == nil ? 54 : 72 }
  var framesTop: Int { legendTop + (style.legend.isEmpty ? 8 : 26) }
  private var height: Int { framesTop + layout.levels * Self.rowHeight + Self.footerHeight }

  func svg() -> String {
    var xml = MarkupWriter()
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

  private func open(_ xml: inout MarkupWriter) {
    xml.markup("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"qprof-flame\"")
    xml.attribute("width", options.width)
    xml.attribute("height", height)
    xml.attribute("viewBox", "0 0 \(options.width) \(height)")
    xml.markup(" font-family=\"ui-monospace, DejaVu Sans Mono, Liberation Mono, Menlo, Consolas, ")
    xml.markup("monospace\"")
    xml.attribute("font-size", LabelFit.fontSize)
    xml.markup(" fill=\"#000\">\n")
  }

  private func describe(_ xml: inout MarkupWriter) {
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

  private func headers(_ xml: inout MarkupWriter) {
    let columns = LabelFit.columns(in: Double(options.width))
    header(headlines.title, columns * 2 / 3, "y=\"27\" font-size=\"18\" font-weight=\"bold\"", &xml)
    header(headlines.subtitle, columns, "y=\"46\" fill=\"#555\"", &xml)
    if let warning = headlines.warning {
      header(warning, columns, "y=\"64\" fill=\"#a1140b\"", &xml)
    }
    guard layout.boxes.isEmpty else { return }
    header(headlines.emptiness, columns, "y=\"90\" fill=\"#555\"", &xml)
  }

  private func header(
    _ text: String, _ columns: Int, _ attributes: StaticString, _ xml: inout MarkupWriter
  ) {
    xml.markup("<text x=\"50%\" text-anchor=\"middle\" ")
    xml.markup(attributes)
    xml.markup(">")
    xml.escaped(LabelFit.cut(VisibleText.of(text), columns: columns))
    xml.markup("</text>\n")
  }

  /// As many entries as fit, centred in one row.
  private func legend(_ xml: inout MarkupWriter) {
    let (swatch, gap) = (16, 20)
    var entries: [(entry: LegendEntry, left: Int)] = []
    var width = -gap
    for entry in style.legend {
      let right = width + gap + swatch + Int(LabelFit.columnWidth * Double(entry.text.count))
      if right > options.width { break }
      entries.append((entry, width + gap))
      width = right
    }
    guard !entries.isEmpty else { return }
    xml.markup("<svg x=\"50%\" overflow=\"visible\"")
    xml.attribute("y", legendTop)
    xml.markup(">\n")
    for (entry, left) in entries {
      for fill in fills(entry.fill, isGone: entry.isGone) {
        xml.markup("<rect width=\"11\" height=\"11\" rx=\"2\"")
        xml.attribute("x", left - width / 2)
        xml.attribute("fill", fill)
        xml.markup("/>")
      }
      xml.markup("<text y=\"10\" fill=\"#333\"")
      xml.attribute("x", left - width / 2 + swatch)
      xml.markup(">")
      xml.escaped(entry.text)
      xml.markup("</text>\n")
    }
    xml.markup("</svg>\n")
  }

  /// What is gone is drawn twice: in its colour, and hatched.
  func fills(_ colour: Colour, isGone: Bool) -> [String] {
    isGone ? [colour.hex, "url(#qprof-gone)"] : [colour.hex]
  }

  /// What the script cannot read off the frames.
  private func data(_ xml: inout MarkupWriter) {
    xml.markup("<script type=\"application/json\">{\"total\":")
    xml.number(layout.total)
    xml.markup(",\"whole\":")
    xml.json(style.whole)
    xml.markup(",\"hidden\":[")
    var isFirst = true
    for (frame, weight) in HiddenFunctions(tree, layout).weights.enumerated() where weight > 0 {
      if !isFirst { xml.markup(",") }
      isFirst = false
      xml.markup("[")
      xml.json(String(tree.frames[frame].name.prefix(Self.longestName)))
      xml.markup(",")
      xml.number(weight)
      xml.markup("]")
    }
    xml.markup("]}</script>\n")
  }
}
