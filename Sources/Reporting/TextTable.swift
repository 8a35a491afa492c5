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
    /// Stands on a line of its own below, faintly. In the last column only.
    var below = ""
    /// A part of the largest value in the column, drawn as a bar. In the last column only.
    var bar: Double?

    init(_ text: String, _ look: Look = .plain, note: String = "", below: String = "") {
      self.text = text
      self.look = look
      self.note = note
      self.below = below
    }

    init(bar: Double) {
      self.init(TextTable.bar(bar))
      self.bar = bar
    }
  }

  let headings: [String]
  private(set) var rows: [[Cell]] = []
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
    return [line(heading)]
      + rows.flatMap { row in
        let cells = row.indices.map { column in
          column == last
            ? lastCell(row[column], columns: style.width.map { $0 - used }, style)
            : style.paint(
              TerminalText.pad(row[column].text, to: widths[column], onTheLeft: true),
              row[column].look)
        }
        let below = row.last.map { self.below($0, indent: used, style) } ?? []
        return [line(cells)] + below
      }
  }

  /// Without what would follow the last of them that is not empty.
  private func line(_ cells: [String]) -> String {
    let used = cells.lastIndex { $0.contains { $0 != " " } } ?? 0
    return "  " + cells.prefix(used + 1).joined(separator: "  ")
  }

  private func below(_ cell: Cell, indent: Int, _ style: ReportText.Style) -> [String] {
    guard !cell.below.isEmpty else { return [] }
    let columns = style.width.map { max($0 - indent - 2, 16) }
    let text = columns.map { TerminalText.cut(cell.below, to: $0) } ?? cell.below
    return [String(repeating: " ", count: indent + 2) + style.paint(text, .faint)]
  }

  /// Up to 24 columns, in eighths of one.
  private static func bar(_ part: Double) -> String {
    let eighths = Int((min(max(part, 0), 1) * 24 * 8).rounded(.up))
    let rest = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    return String(repeating: "█", count: eighths / 8) + rest
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
