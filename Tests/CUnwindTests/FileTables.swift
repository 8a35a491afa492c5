import CUnwind
import Elf
import ProfileModel

/// The unwind tables of a file, as CUnwind reads them.
final class FileTables {
  let image: ElfImage
  let header: UInt64
  let section: unwind_section

  /// Nil when the file has no search table.
  init?(path: String) throws {
    image = try ElfImage(MappedFile(path: path))
    guard let header = image.unwindHeader?.address,
      let segment = image.segments.first(where: {
        header.rawValue &- $0.address.rawValue < $0.fileSize
      }),
      let bytes = image.bytes(at: segment.address, count: Int(segment.fileSize))
    else { return nil }
    self.header = header.rawValue
    section = unwind_section(
      view: unwind_view(
        bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
        address: segment.address.rawValue, size: segment.fileSize),
      format: UNWIND_EH_FRAME)
  }

  func row(at pc: UInt64) -> unwind_row {
    withUnsafePointer(to: section) { section in
      var entry = unwind_entry()
      return unwind_search(section, header, pc, &entry)
        ? unwind_row_of_entry(section, &entry, pc)
        : unwind_row(
          cfa_offset: 0, rbp_offset: 0, words: -1, cfa: UInt8(UNWIND_NO_ENTRY.rawValue), rbp: 0)
    }
  }
}

extension unwind_row {
  var cfaKind: unwind_cfa { unwind_cfa(UInt32(cfa)) }
  var rbpKind: unwind_rbp { unwind_rbp(UInt32(rbp)) }

  /// One line for messages, and to compare with.
  var text: String {
    switch cfaKind {
    case UNWIND_CFA_RSP: "rsp\(signed(cfa_offset)) \(rbpText) ra c\(signed(8 * Int32(words)))"
    case UNWIND_CFA_RBP: "rbp\(signed(cfa_offset)) \(rbpText) ra c\(signed(8 * Int32(words)))"
    case UNWIND_CFA_AT_RSP: "[rsp\(signed(cfa_offset))]\(signed(8 * Int32(words))) \(rbpText)"
    case UNWIND_CFA_AT_RBP: "[rbp\(signed(cfa_offset))]\(signed(8 * Int32(words))) \(rbpText)"
    case UNWIND_SIGNAL_RETURN: "signal return"
    case UNWIND_OUTERMOST: "outermost"
    case UNWIND_NO_ENTRY: "no entry"
    case UNWIND_NO_CODE: "no code"
    default: "inexpressible"
    }
  }

  private var rbpText: String {
    switch rbpKind {
    case UNWIND_RBP_SAME: "rbp same"
    case UNWIND_RBP_AT_CFA: "rbp c\(signed(Int32(rbp_offset)))"
    case UNWIND_RBP_AT_RBP: "rbp [rbp\(signed(Int32(rbp_offset)))]"
    default: "rbp unknown"
    }
  }

  private func signed(_ value: Int32) -> String { value < 0 ? "\(value)" : "+\(value)" }
}
