/// Text from a profile as it can be shown: names come from symbol tables, argument vectors and
/// file names, and may hold anything.
package enum VisibleText {
  /// `text` with its control characters, and those that reorder the text around them, written out:
  /// `\n`, `\x1b`, `\u{202e}`. What XML 1.0 cannot hold is among them.
  package static func of(_ text: String) -> String {
    guard mayNeedWork(text.utf8) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if isShown(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        result += escape(scalar)
      }
    }
    return result
  }

  /// Quick: every scalar that is written out has one of these bytes first.
  private static func mayNeedWork(_ bytes: String.UTF8View) -> Bool {
    bytes.contains { $0 < 0x20 || $0 == 0x7f || [0xc2, 0xd8, 0xe2, 0xef].contains($0) }
  }

  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x00...0x1f, 0x7f...0x9f: false  // C0, delete, C1
    case 0x061c, 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: false  // direction
    case 0x2028, 0x2029: false  // line ends to a script, but not to XML
    case 0xfeff, 0xfffe, 0xffff: false
    default: true
    }
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default:
      let digits = String(scalar.value, radix: 16)
      return scalar.value < 0x100
        ? "\\x" + (digits.count < 2 ? "0" : "") + digits : "\\u{\(digits)}"
    }
  }
}
