import ProfileModel

/// HTML and SVG as bytes, written once from front to back.
///
/// Markup comes from literals of this target only; everything else is made visible and escaped, in
/// content and attribute values alike.
struct MarkupWriter {
  private(set) var bytes: [UInt8] = []

  mutating func markup(_ literal: StaticString) {
    literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  mutating func text(_ text: String) {
    for byte in VisibleText.of(text).utf8 {
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
  mutating func element(_ opening: StaticString, _ content: String, _ closing: StaticString) {
    markup(opening)
    text(content)
    markup(closing)
  }

  mutating func attribute(_ name: StaticString, _ value: String) {
    markup(" ")
    markup(name)
    markup("=\"")
    text(value)
    markup("\"")
  }

  /// With two digits after the point at most.
  mutating func attribute(_ name: StaticString, _ value: Double) {
    attribute(name, Self.number(value))
  }

  static func number(_ value: Double) -> String {
    var text = Quantities.decimal(value, places: 2)
    while text.hasSuffix("0") { text.removeLast() }
    return text.hasSuffix(".") ? String(text.dropLast()) : text
  }
}
