/// A report for people.
package struct ReportText {
  package struct Style: Sendable {
    /// Columns of the terminal; nil to cut nothing.
    package var width: Int?
    package var usesColor: Bool
    package init(width: Int? = nil, usesColor: Bool = false) {
      self.width = width
      self.usesColor = usesColor
    }

    func paint(_ text: String, _ look: TextTable.Look) -> String {
      guard usesColor, !text.isEmpty else { return text }
      switch look {
      case .plain: return text
      case .strong: return "\u{1b}[1m\(text)\u{1b}[0m"
      case .faint: return "\u{1b}[2m\(text)\u{1b}[0m"
      case .warning: return "\u{1b}[33m\(text)\u{1b}[0m"
      }
    }
  }

  private let content: ReportContent
  private let style: Style
  package init(_ report: Report, style: Style = Style()) {
    content = ReportContent(report)
    self.style = style
  }

  /// The whole report, ending in a line end.
  package var text: String {
    let header =
      [style.paint(cut(content.title), .strong)] + content.facts.flatMap { lines($0) }
    return ([header] + content.sections.map(lines)).map { $0.joined(separator: "\n") + "\n" }
      .joined(separator: "\n")
  }

  private func lines(_ section: ReportSection) -> [String] {
    let heading =
      style.paint(section.title, .strong)
      + (section.detail.isEmpty ? "" : style.paint(" (\(section.detail))", .faint))
    switch section.content {
    case .facts(let facts): return [heading] + facts.flatMap { lines($0) }
    case .table(let table): return [heading] + table.lines(style)
    case .notes(let notes): return [heading] + notes.flatMap { lines(note: $0) }
    }
  }

  private func lines(_ fact: ReportSection.Fact) -> [String] {
    [
      "  " + style.paint(TerminalText.pad(fact.name, to: 9, onTheLeft: false), .faint) + " "
        + fact.value
    ]
  }

  private func lines(note: String) -> [String] {
    TerminalText.wrap(note, to: min(style.width ?? 100, 100) - 4).enumerated().map {
      ($0 == 0 ? "  " + style.paint("!", .warning) + " " : "    ") + $1
    }
  }

  private func cut(_ line: String) -> String {
    style.width.map { TerminalText.cut(line, to: $0) } ?? line
  }
}
