/// A place in a text, in bytes, that is not TOML.
struct TOMLStructureError: Error, Equatable {
  var position: Int
  var reason: String
}

/// Throws for what toml++ 3.4, inside TOMLKit, does not report as an error but aborts the process
/// for (found by `ConfigurationFuzzTests`): a bracket without its partner, a table header without a
/// name, a half-written time, and characters that TOML has only in strings and comments. Whatever
/// else is wrong, toml++ will find.
func checkStructure(ofTOML text: [UInt8]) throws(TOMLStructureError) {
  var scanner = TOMLScanner(text: text)
  try scanner.scan()
}

private struct TOMLScanner {
  let text: [UInt8]
  private var position = 0
  /// The brackets that have to close what is open, innermost last.
  private var closers: [UInt8] = []
  private var isLineStart = true
  /// A key, not a value, comes next.
  private var isKey = true

  init(text: [UInt8]) {
    self.text = text
    let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    if text.starts(with: byteOrderMark) { position = 3 }
  }

  mutating func scan() throws(TOMLStructureError) {
    while position < text.count {
      let byte = text[position]
      let wasLineStart = isLineStart
      isLineStart = byte == UInt8(ascii: "\n") || (isLineStart && isBlank(byte))
      switch byte {
      case UInt8(ascii: "\n"): if closers.isEmpty { isKey = true }
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "."): break
      case UInt8(ascii: "="): isKey = false
      case UInt8(ascii: ","): isKey = closers.last == UInt8(ascii: "}")
      case UInt8(ascii: "#"): skipComment()
      case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString()
      case UInt8(ascii: "["): try openBracket(isHeader: closers.isEmpty && wasLineStart)
      case UInt8(ascii: "{"):
        closers.append(UInt8(ascii: "}"))
        isKey = true
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        guard closers.popLast() == byte else {
          throw error("'\(Character(UnicodeScalar(byte)))' closes nothing")
        }
      default: try skipBareWord()
      }
      position += 1
    }
  }

  private func error(_ reason: String) -> TOMLStructureError {
    TOMLStructureError(position: position, reason: reason)
  }

  private mutating func openBracket(isHeader: Bool) throws(TOMLStructureError) {
    if isHeader, !canBeHeader(text[position...]) {
      throw error("a table header must begin with a name, as in [bench.NAME]")
    }
    isKey = isHeader
    closers.append(UInt8(ascii: "]"))
  }

  /// To the last byte of a key, number or the like. toml++ looks on to the next blank or separator
  /// to tell what a value is, so nothing else may be attached to one.
  private mutating func skipBareWord() throws(TOMLStructureError) {
    while position < text.count, !isSeparator(text[position]) {
      let byte = text[position]
      if isKey, byte == UInt8(ascii: "=") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
      {
        break
      }
      guard isWordByte(byte) else {
        let rest = String(decoding: text[position...].prefix(4), as: UTF8.self)
        throw error("\(String(rest.unicodeScalars.prefix(1)).debugDescription) outside of strings")
      }
      position += 1
    }
    position -= 1
  }

  /// To the byte before its line end.
  private mutating func skipComment() {
    position = (text[position...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count) - 1
  }

  /// To the quote that closes it, or where its line or the text ends.
  private mutating func skipString() {
    let quote = text[position]
    let isMultiline = text[position...].starts(with: [quote, quote, quote])
    position += isMultiline ? 3 : 1
    while position < text.count {
      let byte = text[position]
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
        position += 1
      } else if byte == quote, !isMultiline {
        return
      } else if byte == quote, text[position...].starts(with: [quote, quote, quote]) {
        position += 2
        return
      } else if byte == UInt8(ascii: "\n"), !isMultiline {
        position -= 1
        return
      }
      position += 1
    }
  }
}

/// Whether a name follows the opening brackets, or something that toml++ refuses by itself: the
/// end of the text, a closing bracket at once, `[ [`.
private func canBeHeader(_ header: ArraySlice<UInt8>) -> Bool {
  let isArray = header.dropFirst().first == UInt8(ascii: "[")
  guard let first = header.dropFirst(isArray ? 2 : 1).drop(while: isBlank).first else {
    return true
  }
  switch first {
  case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "]"): return true
  case UInt8(ascii: "["): return !isArray
  case UInt8(ascii: "+"), UInt8(ascii: "."): return false
  default: return isWordByte(first)
  }
}

private func isBlank(_ byte: UInt8) -> Bool {
  byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}

private func isSeparator(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"),
    UInt8(ascii: ","), UInt8(ascii: "#"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"),
    UInt8(ascii: "}"):
    true
  default: false
  }
}

private func isWordByte(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
    UInt8(ascii: "+"), UInt8(ascii: "."):
    true
  default: false
  }
}
