import FoundationXML

/// Says whether a text is well-formed XML.
struct XMLChecker {
  func accepts(_ text: String) -> Bool { XMLParser(data: .init(text.utf8)).parse() }
}
