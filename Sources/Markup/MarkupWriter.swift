import ProfileModel

/// SVG and HTML as bytes, written once from front to back.
///
/// Markup comes from literals only; everything else is made visible and escaped, in element content
/// and attribute values alike.
package struct MarkupWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func markup(_ literal: StaticString) {
    literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  /// Text of our own that is markup already: a script, a style sheet.
  package mutating func verbatim(_ own: [UInt8]) { bytes.append(contentsOf: own) }

  package mutating func text(_ text: String) { escaped(VisibleText.of(text)) }

  /// Text that ``VisibleText`` has already seen.
  package mutating func escaped(_ visible: String) {
    for byte in visible.utf8 {
      switch byte {
      case UInt8(ascii: "&"): markup("&amp;")
      case UInt8(ascii: "<"): markup("&lt;")
      case UInt8(ascii: ">"): markup("&gt;")
      case UInt8(ascii: "\""): markup("&quot;")
      case UInt8(ascii: "'"): markup("&#39;")
      default: bytes.append(byte)
      }
    }
  }

  /// An element with nothing but text in it; `opening` has its name and attributes.
  package mutating func element(_ opening: StaticString, _ content: String, _ closing: StaticString)
  {
    markup(opening)
    text(content)
    markup(closing)
  }

  // MARK: - Attributes

  package mutating func attribute(_ name: StaticString, _ value: some BinaryInteger) {
    attribute(name) { $0.number(value) }
  }

  package mutating func attribute(_ name: StaticString, _ value: String) {
    attribute(name) { $0.text(value) }
  }

  /// A number of hundredths, with as many digits after the point as it needs.
  package mutating func attribute(_ name: StaticString, hundredths value: Int) {
    attribute(name) { xml in
      xml.number(value / 100)
      guard value % 100 != 0 else { return }
      xml.markup(".")
      xml.number(value % 100 / 10)
      if value % 10 != 0 { xml.number(value % 10) }
    }
  }

  /// With two digits after the point at most.
  package mutating func attribute(_ name: StaticString, _ value: Double) {
    attribute(name, Self.number(value))
  }

  package static func number(_ value: Double) -> String {
    var text = Quantities.decimal(value, places: 2)
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }

  private mutating func attribute(_ name: StaticString, _ value: (inout MarkupWriter) -> Void) {
    markup(" ")
    markup(name)
    markup("=\"")
    value(&self)
    markup("\"")
  }

  // MARK: - JSON

  package mutating func number(_ value: some BinaryInteger) {
    bytes.append(contentsOf: String(value).utf8)
  }

  /// A string of JSON. `<`, `>` and `&` are written by number, so that neither XML nor HTML can
  /// take the data for markup: `</script>`, `]]>`, `<!--`.
  package mutating func json(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    for byte in VisibleText.of(text).utf8 {
      switch byte {
      case UInt8(ascii: "<"): markup("\\u003c")
      case UInt8(ascii: ">"): markup("\\u003e")
      case UInt8(ascii: "&"): markup("\\u0026")
      case UInt8(ascii: "\""): markup("\\\"")
      case UInt8(ascii: "\\"): markup("\\\\")
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
