import ProfileModel

/// `comm pid/tid [cpu] time: period event: …`, where pid, cpu, period and event may be missing.
struct PerfScriptHeader {
  var command: String
  var pid: Int32?
  var tid: Int32
  /// On perf's clock.
  var time: Nanoseconds
  var period: Int64?
  var event: String
  /// What follows the event: the only frame, where perf recorded no stacks.
  var rest: ArraySlice<UInt8>

  /// The time is what to look for, because a command may consist of any words.
  init?(_ line: ArraySlice<UInt8>) {
    let words = line.split(whereSeparator: isBlank)
    for (index, word) in words.enumerated().dropFirst(2) {
      guard let time = Self.time(word) else { continue }
      var idIndex = index - 1
      if words[idIndex].first == UInt8(ascii: "["), words[idIndex].last == UInt8(ascii: "]") {
        idIndex -= 1
      }
      guard idIndex >= 1, let (pid, tid) = Self.ids(words[idIndex]) else { continue }
      self.pid = pid
      self.tid = tid
      self.time = time
      command = printable(line[line.startIndex..<words[idIndex - 1].endIndex])
      var next = words[(index + 1)...]
      period = next.first.flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
      if period != nil { next.removeFirst() }
      event = next.first.map(Self.event) ?? ""
      rest = next.dropFirst().first.map { line[$0.startIndex...] } ?? []
      return
    }
    return nil
  }

  /// `1234.567890:`
  private static func time(_ word: ArraySlice<UInt8>) -> Nanoseconds? {
    guard word.last == UInt8(ascii: ":"), let point = word.firstIndex(of: UInt8(ascii: ".")) else {
      return nil
    }
    let fraction = word[(point + 1)...].dropLast()
    guard (1...9).contains(fraction.count), let seconds = digits(word[..<point]),
      seconds < 1_000_000_000, var nanoseconds = digits(fraction)
    else { return nil }
    for _ in fraction.count..<9 { nanoseconds *= 10 }
    return Nanoseconds(seconds * 1_000_000_000 + nanoseconds)
  }

  private static func digits(_ bytes: ArraySlice<UInt8>) -> Int64? {
    guard bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int64(String(decoding: bytes, as: UTF8.self))
  }

  /// `pid/tid`, or the tid alone.
  private static func ids(_ word: ArraySlice<UInt8>) -> (pid: Int32?, tid: Int32)? {
    let parts = word.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { Int32(String(decoding: $0, as: UTF8.self)) }
    switch parts.count {
    case 1: return parts[0].map { (nil, $0) }
    case 2:
      guard let pid = parts[0], let tid = parts[1] else { return nil }
      return (pid, tid)
    default: return nil
    }
  }

  /// Without the colon at the end and modifiers such as `:u` and `:ppp`.
  private static func event(_ word: ArraySlice<UInt8>) -> String {
    var name = printable(word)
    while name.hasSuffix(":") { name.removeLast() }
    if let colon = name.lastIndex(of: ":"), colon != name.startIndex,
      name[colon...].dropFirst().allSatisfy({ "ukhGHpPSDIeWb".contains($0) })
    {
      name.removeSubrange(colon...)
    }
    return name
  }
}

/// `address symbol+0xoffset (object)`, where symbol, offset and object may be missing.
struct PerfScriptFrame {
  var address: UInt64
  /// Nil for `[unknown]`.
  var symbol: String?
  var object: String?
  var isInlined: Bool { object == "inlined" }

  init?(_ line: ArraySlice<UInt8>) {
    let end = line.firstIndex(where: isBlank) ?? line.endIndex
    guard let address = UInt64(String(decoding: line[..<end], as: UTF8.self), radix: 16) else {
      return nil
    }
    self.address = address
    var rest = trimmed(line[end...])
    if let open = Self.openingOfLastGroup(rest) {
      object = printable(rest[(open + 1)...].dropLast())
      rest = trimmed(rest[..<open])
    }
    symbol = Self.symbol(rest)
  }

  /// Where the parenthesis opens that closes at the end: the object is written in it, and its own
  /// path may hold parentheses, as in `(/tmp/a (deleted))`.
  private static func openingOfLastGroup(_ text: ArraySlice<UInt8>) -> Int? {
    guard text.last == UInt8(ascii: ")") else { return nil }
    var depth = 0
    for position in text.indices.reversed() {
      switch text[position] {
      case UInt8(ascii: ")"): depth += 1
      case UInt8(ascii: "("):
        depth -= 1
        if depth == 0 { return position }
      default: break
      }
    }
    return nil
  }

  private static func symbol(_ text: ArraySlice<UInt8>) -> String? {
    var text = text
    if let plus = text.lastIndex(of: UInt8(ascii: "+")), text[plus...].starts(with: "+0x".utf8),
      text[plus...].dropFirst(3).allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
    {
      text = text[..<plus]
    }
    let name = printable(text)
    return name.isEmpty || name == "[unknown]" ? nil : name
  }
}
