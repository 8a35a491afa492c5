/// Text as a terminal shows it: one column a character, two for East Asian wide ones, none for
/// combining marks.
enum TerminalText {
  static func width(_ text: String) -> Int {
    text.utf8.allSatisfy { $0 < 0x80 }
      ? text.utf8.count : text.unicodeScalars.reduce(0) { $0 + width($1) }
  }

  /// `text` in at most `columns`, an ellipsis for what is left out. Names of functions differ
  /// most at their ends, so those are kept.
  static func cut(_ text: String, to columns: Int) -> String {
    guard width(text) > columns else { return text }
    guard columns > 1 else { return columns == 1 ? "…" : "" }
    let tail = (columns - 1) / 3
    return prefix(text, columns - 1 - tail) + "…" + suffix(text, tail)
  }

  /// Lines of at most `columns`, broken at spaces.
  static func wrap(_ text: String, to columns: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      if !line.isEmpty, width(line) + 1 + width(String(word)) > columns {
        lines.append(line)
        line = ""
      }
      line += (line.isEmpty ? "" : " ") + word
    }
    return lines + (line.isEmpty ? [] : [line])
  }

  static func pad(_ text: String, to columns: Int, onTheLeft: Bool) -> String {
    let space = String(repeating: " ", count: max(0, columns - width(text)))
    return onTheLeft ? space + text : text + space
  }

  private static func prefix(_ text: String, _ columns: Int) -> String {
    var used = 0
    return String(
      text.prefix {
        used += $0.unicodeScalars.reduce(0) { $0 + width($1) }
        return used <= columns
      })
  }

  private static func suffix(_ text: String, _ columns: Int) -> String {
    String(prefix(String(text.reversed()), columns).reversed())
  }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    switch scalar.value {
    // Hangul initials, CJK, Hangul syllables, compatibility forms, full width, emoji, CJK planes.
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
      0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }
}
