/// UTF-8 without a mark at its start; UTF-16, which PowerShell writes, is converted.
func withoutByteOrderMark(_ bytes: [UInt8]) -> [UInt8] {
  if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return Array(bytes.dropFirst(3)) }
  let isBigEndian = bytes.starts(with: [0xfe, 0xff])
  guard isBigEndian || bytes.starts(with: [0xff, 0xfe]) else { return bytes }
  let units = stride(from: 2, to: bytes.count - 1, by: 2).map { start in
    let (first, second) = (UInt16(bytes[start]), UInt16(bytes[start + 1]))
    return isBigEndian ? first << 8 | second : second << 8 | first
  }
  return Array(String(decoding: units, as: UTF16.self).utf8)
}

func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

/// Without blanks and carriage returns at both ends.
func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
  var line = line
  while let last = line.last, isBlank(last) || last == UInt8(ascii: "\r") { line.removeLast() }
  while let first = line.first, isBlank(first) { line.removeFirst() }
  return line
}

/// The text, with bytes that are not UTF-8 shown as `\xNN` each.
func printable(_ bytes: ArraySlice<UInt8>) -> String {
  if let text = String(validating: bytes, as: UTF8.self) { return text }
  var result = ""
  var rest = bytes
  while !rest.isEmpty {
    let length = (1...4).first { length in
      length <= rest.count && String(validating: rest.prefix(length), as: UTF8.self) != nil
    }
    guard let length else {
      result += Folded.hexEscape(rest.removeFirst())
      continue
    }
    result += String(decoding: rest.prefix(length), as: UTF8.self)
    rest = rest.dropFirst(length)
  }
  return result
}
