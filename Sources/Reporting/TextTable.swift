/// Rows under headings: numbers flush right, the last column flush left and as wide as it likes.
struct TextTable {
  /// How a cell looks on a terminal with colours.
  enum Look {
    case plain
    case strong
    case faint
    case warning
  }
  struct Cell {
    var text: String
    var look = Look.plain
    /// Follows the text after two spaces, faintly.
    var note = ""

    init(_ text: String, _ look: Look = .plain, note: String = "") {
      self.text = text
      self.look = look
      self.note = note
    }
  }

  private var headings: [String]
  private var rows: [[Cell]] = []
  init(_ headings: [String]) { self.headings = headings }

  mutating func add(_ cells: [Cell]) { rows.append(cells) }

  func lines(_ style: ReportText.Style) -> [String] {
    let last = headings.count - 1
    let widths = headings.indices.map { column in
      rows.reduce(TerminalText.width(headings[column])) {
        max($0, TerminalText.width($1[column].text))
      }
    }
    let used = widths[..<last].reduce(2) { $0 + $1 + 2 }
    let heading = headings.indices.map { column in
      style.paint(
        column == last
          ? headings[column]
          : TerminalText.pad(headings[column], to: widths[column], onTheLeft: true), .faint)
    }
    return
      ([heading]
      + rows.map { row in
        row.indices.map { column in
          column == last
            ? lastCell(row[column], columns: style.width.map { $0 - used }, style)
            : style.paint(
              TerminalText.pad(row[column].text, to: widths[column], onTheLeft: true),
              row[column].look)
        }
      }).map { "  " + $0.joined(separator: "  ") }
  }

  private func lastCell(_ cell: Cell, columns: Int?, _ style: ReportText.Style) -> String {
    let noteWidth = cell.note.isEmpty ? 0 : TerminalText.width(cell.note) + 2
    guard let columns else { return text(cell.text, cell, style) }
    let forText = max(columns - noteWidth, 16)
    return text(TerminalText.cut(cell.text, to: forText), cell, style)
  }

  private func text(_ text: String, _ cell: Cell, _ style: ReportText.Style) -> String {
    style.paint(text, cell.look)
      + (cell.note.isEmpty ? "" : "  " + style.paint(cell.note, .faint))
  }
}
