/// A part of a report: a heading, and what is under it. Text and HTML show the same sections.
struct ReportSection {
  enum Content {
    case facts([Fact])
    case table(TextTable)
    /// Each a sentence or two.
    case notes([String])
  }
  struct Fact {
    var name: String
    var value: String
    init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  var title: String
  /// Follows the title in brackets.
  var detail = ""
  var content: Content

  init(_ title: String, _ detail: String = "", _ content: Content) {
    self.title = title
    self.detail = detail
    self.content = content
  }

  var isEmpty: Bool {
    switch content {
    case .facts(let facts): facts.isEmpty
    case .table(let table): table.rows.isEmpty
    case .notes(let notes): notes.isEmpty
    }
  }
}
