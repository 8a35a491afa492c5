import ProfileModel

/// XML as bytes, written once from front to back.
///
/// Markup comes from literals of this target only; everything else goes through ``text(_:)``,
/// which makes it visible and escapes it, in element content and attribute values alike.
struct XMLWriter {
  private(set) var bytes: [UInt8] = []

  mutating func markup(_ literal: StaticString) {
    literal.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  mutating func text(_ text: String) { escaped(VisibleText.of(text)) }

  /// The same for text that ``VisibleText`` has already seen.
  mutating func escaped(_ visible: String) {
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

  mutating func number(_ value: some BinaryInteger) { bytes.append(contentsOf: String(value).utf8) }

  /// A number of hundredths, with as many digits after the point as it needs.
  mutating func hundredths(_ value: Int) {
    number(value / 100)
    guard value % 100 != 0 else { return }
    bytes.append(UInt8(ascii: "."))
    bytes.append(UInt8(ascii: "0") + UInt8(value % 100 / 10))
    if value % 10 != 0 { bytes.append(UInt8(ascii: "0") + UInt8(value % 10)) }
  }

  /// Text of this target that is markup already: the script.
  mutating func verbatim(_ own: [UInt8]) { bytes.append(contentsOf: own) }

  /// A string of JSON. `<`, `>` and `&` are written by number, so that neither XML nor HTML can
  /// take the data for markup: `</script>`, `]]>`, `<!--`.
  mutating func json(_ text: String) {
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
