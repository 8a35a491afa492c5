import CUnwind
import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import Elf

/// Every row of real files against what binutils makes of the same tables.
@Suite struct RowOracleTests {
  static let files = [
    "/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0",
    "/usr/bin/python3", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "workload panics",
    "workload tasks",
  ]

  @Test(arguments: files) func rowsAgreeWithReadelf(file: String) throws {
    let path =
      try file.hasPrefix("workload ") ? BuiltProducts.workload("\(file.dropFirst(9))") : file
    let tables = try #require(try FileTables(path: path))
    var compared = 0
    var expressions = 0
    for entry in try InterpretedFrames(of: path).entries {
      for (index, row) in entry.rows.enumerated() {
        let end =
          index + 1 < entry.rows.count ? entry.rows[index + 1].address : entry.range.upperBound
        guard row.address < end else { continue }
        for pc in [row.address, end - 1] {
          let found = tables.row(at: pc)
          if row.usesExpressions {
            expressions += 1
          } else {
            #expect(found.text == row.text, "at \(String(pc, radix: 16))")
          }
          compared += 1
        }
      }
    }
    #expect(compared > 1_000)
    #expect(expressions * 50 < compared, "\(expressions) of \(compared) were not compared")
  }

  /// What no search table leads to: `.debug_frame`, where `.eh_frame` describes only the start of
  /// the program, and `.eh_frame` alone.
  @Test(arguments: [("split-debugframe", ".debug_frame"), ("split-nohdr", ".eh_frame")])
  func unsortedTablesAreFound(workload: String, section: String) throws {
    let path = try BuiltProducts.workload(workload)
    let image = try ElfImage(MappedFile(path: path))
    let entries = try InterpretedFrames(of: path, section: section).entries
    #expect(entries.count >= 2)
    for entry in entries {
      for (index, row) in entry.rows.enumerated() where !row.usesExpressions {
        let next = index + 1 < entry.rows.count ? entry.rows[index + 1].address : nil
        for pc in [row.address, (next ?? entry.range.upperBound) - 1] {
          #expect(image.unwindRow(at: FileAddress(pc)).text == row.text)
          let range = FileAddress(entry.range.lowerBound)..<FileAddress(entry.range.upperBound)
          #expect(image.functionRange(containing: FileAddress(pc)) == range)
        }
      }
    }
    #expect(image.unwindRow(at: FileAddress(0)).text == "no entry")
  }

  /// An entry's range ends where readelf says, and neither neighbour answers for the other.
  @Test func entriesAreFoundByTableAndInOrder() throws {
    let path = "/lib/x86_64-linux-gnu/libc.so.6"
    let tables = try #require(try FileTables(path: path))
    let expected = Set(try InterpretedFrames(of: path).entries.map(\.range))
    var found: Set<Range<UInt64>> = []
    let frames = try #require(tables.image.section(".eh_frame"))
    let bytes = try #require(tables.image.bytes(of: frames))
    var section = unwind_section(
      view: unwind_view(
        bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
        address: frames.address, size: UInt64(bytes.count)), format: UNWIND_EH_FRAME)
    var position = section.view.address
    var entry = unwind_entry()
    while unwind_next_entry(&section, &position, &entry) {
      found.insert(entry.start..<entry.end)
      var searched = unwind_entry()
      let isFound = withUnsafePointer(to: tables.section) {
        unwind_search($0, tables.header, entry.end - 1, &searched)
      }
      #expect(isFound)
      #expect(searched.start == entry.start)
      #expect(searched.address == entry.address)
    }
    #expect(found.count > 3_000)
    #expect(expected.isSubset(of: found))
  }
}

extension InterpretedFrames.Row {
  var usesExpressions: Bool {
    [cfa, rbp ?? "", returnAddress ?? ""].contains { $0.hasSuffix("exp") }
  }

  /// As ``unwind_row/text``.
  var text: String {
    guard returnAddress != "u" else { return "outermost" }
    guard cfa.hasPrefix("rsp") || cfa.hasPrefix("rbp"), let returnAddress,
      returnAddress.hasPrefix("c")
    else { return "inexpressible" }
    // "u" is printed for a register of which nothing was said yet, too.
    let rbp = ["u", "s", nil].contains(rbp) ? "same" : rbp.map(String.init) ?? ""
    return "\(cfa) rbp \(rbp) ra \(returnAddress)"
  }
}
