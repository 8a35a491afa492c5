/// How much of a name fits into a box, in a font whose characters are all equally wide.
///
/// `flame.js` does the same after a zoom; a test compares the two label by label.
package enum LabelFit {
  /// Height of the font, and width of one column of it, in pixels. DejaVu Sans Mono, Liberation
  /// Mono, Menlo and their kin are 0.60 em wide.
  package static let fontSize = 12
  package static let columnWidth = 7.25
  /// Space on both sides of the label together.
  package static let padding = 7.0
  /// A box that has no room for so many columns has no label: less says nothing.
  package static let fewestColumns = 3

  /// Columns of text in a box of `width` pixels.
  package static func columns(in width: Double) -> Int {
    max(0, Int((width - padding) / columnWidth))
  }

  /// The longest form of `name` that fits, if need be cut with `…`; nil without room.
  package static func label(_ name: String, columns: Int) -> String? {
    guard columns >= fewestColumns else { return nil }
    if name.utf8.count <= columns { return name }
    let forms = forms(of: name)
    return forms.first { cut($0, columns: columns) == $0 }
      ?? cut(forms[forms.count - 1], columns: columns)
  }

  /// A name as it is; without result type and arguments; without what it belongs to:
  /// `int a::B<c>::d(e) const`, `a::B::d`, `d`.
  package static func forms(of name: String) -> [String] {
    guard !name.hasPrefix("["), !hasOperator(name), let plain = withoutArguments(name)
    else { return [name] }
    guard let scope = plain.ranges(of: "::").last else { return [name, plain] }
    let resultType = plain[..<scope.lowerBound].lastIndex(of: " ")
    let start = resultType.map { plain.index(after: $0) } ?? plain.startIndex
    return [name, String(plain[start...]), String(plain[scope.upperBound...])]
  }

  /// The name is that of an operator of C++, whose brackets are no arguments.
  private static func hasOperator(_ name: String) -> Bool {
    func isWord(_ scalar: Unicode.Scalar?) -> Bool {
      guard let scalar else { return false }
      return scalar == "_"
        || scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9") ~= scalar)
    }
    return name.ranges(of: "operator").contains { range in
      !isWord(name.unicodeScalars[..<range.lowerBound].last)
        && !isWord(name.unicodeScalars[range.upperBound...].first)
    }
  }

  /// What stands outside of all brackets; nil when they do not match or nothing is left.
  private static func withoutArguments(_ name: String) -> String? {
    var depth = 0
    var plain = String.UnicodeScalarView()
    var previous: Unicode.Scalar = " "
    for scalar in name.unicodeScalars {
      switch scalar {
      case "<", "(", "[": depth += 1
      case ">" where previous == "-": if depth == 0 { plain.append(scalar) }
      case ")", "]", ">":
        depth -= 1
        if depth < 0 { return nil }
      default: if depth == 0 { plain.append(scalar) }
      }
      previous = scalar
    }
    guard depth == 0 else { return nil }
    return withoutQualifiers(String(plain))
  }

  /// Without the result type of Swift and Rust, `const` of C++, and scopes without a name.
  private static func withoutQualifiers(_ name: String) -> String? {
    var rest = name
    if let arrow = rest.firstRange(of: " ->") { rest.removeSubrange(arrow.lowerBound...) }
    if rest.hasSuffix(" const") { rest.removeLast(6) }
    while rest.contains("::::") { rest = rest.replacing("::::", with: "::") }
    if rest.hasPrefix("::") { rest.removeFirst(2) }
    while rest.hasPrefix(" ") { rest.removeFirst() }
    while rest.hasSuffix(" ") { rest.removeLast() }
    return rest.isEmpty || rest.hasSuffix("::") ? nil : rest
  }

  /// `name`, cut with `…` where it is longer than `columns`. Cuts between characters as people
  /// see them, never inside one.
  package static func cut(_ name: String, columns: Int) -> String {
    var used = 0
    var end = name.startIndex
    for (index, character) in zip(name.indices, name) {
      used += width(of: character)
      if used > columns { return String(name[..<end]) + "…" }
      if used < columns { end = name.index(after: index) }
    }
    return name
  }

  /// Columns of a character: two for those that East Asian fonts and emoji draw wide.
  private static func width(of character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60,
      0x1f300...0x1faff, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }
}
