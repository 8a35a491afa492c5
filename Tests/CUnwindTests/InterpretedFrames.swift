import TestSupport

/// Rows of a file's unwind tables as binutils interprets them: the oracle of these tests.
struct InterpretedFrames {
  /// A column that the entry does not mention is nil.
  struct Row {
    var address: UInt64
    var cfa: Substring
    var rbp: Substring?
    var returnAddress: Substring?
  }

  struct Entry {
    var range: Range<UInt64>
    var rows: [Row] = []
  }

  private(set) var entries: [Entry] = []

  /// - Parameter lines: read no further; large files have millions.
  init(of path: String, section: String = ".eh_frame", lines: Int = 150_000) throws {
    let command =
      "readelf -W --debug-dump=frames-interp --debug-dump=no-follow-links \"$0\" | head -n \(lines)"
    var isWanted = false
    var columns: (rbp: Int?, returnAddress: Int?) = (nil, nil)
    for line in try run(["sh", "-c", command, path]).split(separator: "\n") {
      if line.hasPrefix("Contents of the ") {
        isWanted = line.hasPrefix("Contents of the \(section) ")
        continue
      }
      guard isWanted else { continue }
      // A rule "in another register" prints as two words: `r10 (r10)`.
      let words = line.split(separator: " ").filter { !$0.hasPrefix("(") }
      if words.count > 3, words[3] == "CIE" {
        entries.append(Entry(range: 0..<0))
      } else if words.count > 5, words[3] == "FDE" {
        let bounds = words[5].dropFirst(3).split(separator: ".").compactMap {
          UInt64($0, radix: 16)
        }
        entries.append(Entry(range: bounds[0]..<max(bounds[0], bounds[1])))
      } else if words.first == "LOC" {
        columns = (words.firstIndex(of: "rbp"), words.firstIndex(of: "ra"))
      } else if words.count > 1, words[0].count == 16, let address = UInt64(words[0], radix: 16),
        !entries.isEmpty
      {
        entries[entries.count - 1].rows.append(
          Row(
            address: address, cfa: words[1], rbp: columns.rbp.map { words[$0] },
            returnAddress: columns.returnAddress.map { words[$0] }))
      }
    }
    // The last one may be cut off. An entry without rows of its own has those of its common one.
    if !entries.isEmpty { entries.removeLast() }
    entries.removeAll { $0.range.isEmpty || $0.rows.isEmpty }
  }
}
