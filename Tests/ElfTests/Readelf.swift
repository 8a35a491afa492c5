import TestSupport

/// binutils' view of a file: the oracle of these tests.
struct Readelf {
  let path: String

  /// Lines of `readelf -W OPTION`, split at white space.
  func rows(_ options: String...) throws -> [[Substring]] {
    try run(["readelf", "-W"] + options + [path]).split(separator: "\n").map {
      $0.split(whereSeparator: \.isWhitespace)
    }
  }

  /// A frame description entry. `outermost` holds the addresses whose interpreted row has an
  /// undefined return address.
  struct Frame {
    let range: Range<UInt64>
    var outermost: [Range<UInt64>] = []
  }

  func frames() throws -> [Frame] {
    var result: [Frame] = []
    /// Whether the initial rule of a common entry is "undefined", by its offset.
    var initial: [Substring: Bool] = [:]
    var common: Substring?
    var column: Int?
    // Without following links: the frames of a separate debug file have no contents.
    for row in try rows("--debug-dump=frames-interp", "--debug-dump=no-follow-links") {
      if row.count > 3, row[3] == "CIE" {
        common = row[0]
      } else if row.count > 5, row[3] == "FDE" {
        common = nil
        let bounds = row[5].dropFirst(3).split(separator: ".").compactMap { hex($0) }
        let range = bounds[0]..<bounds[1]
        // Entries that change nothing have no rows of their own.
        let isOutermost = initial[row[4].dropFirst(4)] == true
        result.append(Frame(range: range, outermost: isOutermost ? [range] : []))
      } else if row.first == "LOC" {
        column = row.firstIndex(of: "ra")
        if common == nil { result[result.count - 1].outermost = [] }
      } else if let column, row.count > column, let address = hex(row[0]) {
        // A rule "in another register" prints as two words: `r10 (r10)`.
        let undefined = row.filter { !$0.hasPrefix("(") }[column] == "u"
        if let common {
          initial[common] = undefined
        } else {
          result[result.count - 1].append(address, undefined: undefined)
        }
      }
    }
    return result
  }
}

extension Readelf.Frame {
  /// Rows come in order of address, and each ends where the next begins.
  fileprivate mutating func append(_ address: UInt64, undefined: Bool) {
    if let last = outermost.last, last.upperBound == range.upperBound {
      outermost[outermost.count - 1] = last.lowerBound..<max(address, last.lowerBound)
    }
    if undefined { outermost.append(address..<range.upperBound) }
  }
}

/// Reads hexadecimal digits, with or without `0x`.
func hex(_ text: some StringProtocol) -> UInt64? {
  UInt64(text.hasPrefix("0x") ? String(text.dropFirst(2)) : String(text), radix: 16)
}
