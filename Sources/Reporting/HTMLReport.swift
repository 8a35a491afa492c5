import Markup
import ProfileModel

/// A report as one page for a browser, which needs no other file and no network.
package struct HTMLReport {
  private let content: ReportContent
  package init(_ report: Report) { content = ReportContent(report) }

  package var bytes: [UInt8] {
    var page = MarkupWriter()
    page.markup("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
    page.markup("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
    page.element("<title>", content.title, "</title>\n")
    page.markup(Self.style)
    page.markup("</head>\n<body>\n")
    page.element("<h1>", content.title, "</h1>\n")
    add(content.facts, to: &page)
    for section in content.sections {
      add(section, to: &page)
      if case .facts = section.content { addTimelines(to: &page) }
    }
    page.markup("</body>\n</html>\n")
    return page.bytes
  }

  /// Of the processes with the largest heaps, the small ones left out.
  private func addTimelines(to page: inout MarkupWriter) {
    guard let heap = content.report.heap, content.report.options.metric == nil else { return }
    let least = (heap.largest?.heap.peak.bytes ?? 0) / 100
    let shown = heap.processes.filter { $0.heap.peak.bytes >= least }
      .compactMap { process in TimelinePicture(process.heap).map { (process, $0) } }
    for (process, picture) in shown.prefix(Self.mostTimelines) {
      let name = heap.processes.count > 1 ? " of \(process.name) (\(process.pid))" : ""
      page.markup("<section>\n")
      page.element("<h2>", "Memory over time\(name)", "</h2>\n")
      picture.write(to: &page)
      page.markup("</section>\n")
    }
  }

  private static let mostTimelines = 8

  // MARK: - Sections

  private func add(_ section: ReportSection, to page: inout MarkupWriter) {
    page.markup("<section>\n")
    page.element("<h2>", section.title, "")
    if !section.detail.isEmpty { page.element(" <small>", section.detail, "</small>") }
    page.markup("</h2>\n")
    switch section.content {
    case .facts(let facts): add(facts, to: &page)
    case .table(let table): add(table, to: &page)
    case .notes(let notes):
      page.markup("<ul>\n")
      for note in notes { page.element("<li>", note, "</li>\n") }
      page.markup("</ul>\n")
    }
    page.markup("</section>\n")
  }

  private func add(_ facts: [ReportSection.Fact], to page: inout MarkupWriter) {
    page.markup("<dl>\n")
    for fact in facts {
      page.element("<dt>", fact.name, "</dt>")
      page.element("<dd>", fact.value, "</dd>\n")
    }
    page.markup("</dl>\n")
  }

  private func add(_ table: TextTable, to page: inout MarkupWriter) {
    page.markup("<table>\n<tr>")
    for heading in table.headings { page.element("<th>", heading, "</th>") }
    page.markup("</tr>\n")
    for row in table.rows {
      page.markup("<tr>")
      for cell in row { add(cell, to: &page) }
      page.markup("</tr>\n")
    }
    page.markup("</table>\n")
  }

  private func add(_ cell: TextTable.Cell, to page: inout MarkupWriter) {
    switch cell.look {
    case .plain: page.markup("<td>")
    case .strong: page.markup("<td class=\"strong\">")
    case .faint: page.markup("<td class=\"faint\">")
    case .warning: page.markup("<td class=\"warning\">")
    }
    if let bar = cell.bar {
      page.markup("<svg class=\"bar\" width=\"240\" height=\"12\"><rect height=\"12\"")
      page.attribute("width", max(240 * bar, bar > 0 ? 1 : 0))
      page.markup("/></svg>")
    } else {
      page.text(cell.text)
    }
    if !cell.note.isEmpty { page.element(" <small>", cell.note, "</small>") }
    if !cell.below.isEmpty { page.element("<div>", cell.below, "</div>") }
    page.markup("</td>")
  }

  private static let style: StaticString = """
    <style>
    :root { color-scheme: light dark; --faint: #667; --line: #ccd; --heap: #2a6fb0; --peak: #b3261e;
      --resident: #8a8a96; --rate: #c07a1c; }
    @media (prefers-color-scheme: dark) { :root { --faint: #99a; --line: #445; --heap: #6fb0ec;
      --peak: #ff8a80; --rate: #e0a050; } }
    body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1100px;
      padding: 0 1em; }
    h1 { font: 600 20px/1.3 ui-monospace, monospace; overflow-wrap: anywhere; }
    h2 { font-size: 16px; margin: 1.8em 0 .5em; }
    small, .faint, td div, dt, th { color: var(--faint); font-weight: normal; font-size: 13px; }
    dl { display: grid; grid-template-columns: max-content auto; gap: .1em 1em; margin: 0; }
    dd { margin: 0; overflow-wrap: anywhere; }
    table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
    th, td { text-align: right; white-space: nowrap; padding: .15em .6em; vertical-align: baseline; }
    th:last-child, td:last-child { text-align: left; white-space: pre-wrap; width: 100%;
      overflow-wrap: anywhere; font-family: ui-monospace, monospace; font-size: 13px; }
    tr + tr td { border-top: 1px solid color-mix(in srgb, var(--line) 50%, transparent); }
    .strong { font-weight: 600; }
    .warning { color: var(--peak); }
    .bar rect { fill: var(--heap); }
    .timeline { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
    .timeline text { fill: currentColor; }
    .axis { stroke: var(--line); fill: none; }
    .live { fill: var(--heap); fill-opacity: .25; }
    .largest { stroke: var(--heap); stroke-width: 1.5; fill: none; }
    .resident { stroke: var(--resident); stroke-width: 1.5; stroke-dasharray: 4 3; fill: none; }
    .rate { fill: var(--rate); }
    .peak { stroke: var(--peak); fill: none; }
    .timeline .of-peak { fill: var(--peak); paint-order: stroke; stroke: Canvas;
      stroke-width: 4px; }
    </style>

    """
}
