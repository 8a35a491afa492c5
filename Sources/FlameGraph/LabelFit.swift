/// How much of a name fits into a box, in a font whose characters are all equally wide.
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

  /// `name`, cut with `…` where it is longer than `columns`; nil where that says too little.
  /// Cuts between characters as people see them, never inside one.
  package static func label(_ name: String, columns: Int) -> String? {
    guard columns >= fewestColumns else { return nil }
    if name.utf8.count <= columns { return name }
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
  static func width(of character: Character) -> Int {
    guard let scalar = character.unicodeScalars.first else { return 0 }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f,
      0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }
}
