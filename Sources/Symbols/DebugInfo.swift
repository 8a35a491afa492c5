import CElfutils
import Elf

/// A function at a source line, as the debug information or a symbol table has it.
struct SourceFrame {
  /// Linkage name where there is one.
  var name: String
  /// Readable name, for a function without linkage name: `space::Type::name`.
  var qualifiedName: String?
  /// Where the function's code begins; nil for an inlined one.
  var entry: UInt64?
  var file: String?
  /// 0 when unknown.
  var line: Int32 = 0
  /// Line of the function's declaration, when it lies in `file`; else 0.
  var startLine: Int32 = 0
}

/// The DWARF of one file, read through libdw.
///
/// Compilation units are found by their own ranges, read once: `.debug_aranges` is not written by
/// all compilers. A unit's functions are read only when an address lies in it.
final class DebugInfo {
  /// libdw reads their bytes.
  private let image: ElfImage
  private let alternate: ElfImage?
  private let elf: OpaquePointer
  private let dwarf: OpaquePointer
  private let alternateHandles: (elf: OpaquePointer, dwarf: OpaquePointer)?
  private let units: UnitTable

  /// Nil when the image has no readable debug information. Its file must be mapped for writing.
  init?(_ image: ElfImage, alternate: ElfImage?) {
    guard let (elf, dwarf) = Self.open(image) else { return nil }
    self.image = image
    self.alternate = alternate
    self.elf = elf
    self.dwarf = dwarf
    alternateHandles = alternate.flatMap(Self.open)
    // Also when there is none: libdw would search for one by itself.
    dwarf_setalt(dwarf, alternateHandles?.dwarf)
    units = UnitTable(dwarf)
  }

  deinit {
    dwarf_end(dwarf)
    elf_end(elf)
    if let (elf, dwarf) = alternateHandles {
      dwarf_end(dwarf)
      elf_end(elf)
    }
  }

  private static func open(_ image: ElfImage) -> (elf: OpaquePointer, dwarf: OpaquePointer)? {
    guard let elf = LibELF.open(image.file.bytes) else { return nil }
    guard let dwarf = dwarf_begin_elf(elf, DWARF_C_READ, nil) else {
      elf_end(elf)
      return nil
    }
    return (elf, dwarf)
  }

  /// What is known about each of the `addresses`, which are sorted and distinct.
  func resolve(_ addresses: [UInt64]) -> [SourceLocation] {
    var result = Array(repeating: SourceLocation(), count: addresses.count)
    for (unit, indices) in units.hits(addresses) {
      // Units can overlap in damaged files and where a linker dropped code; the first answer that
      // has functions stays.
      let open = indices.filter { result[$0].frames.isEmpty }
      guard !open.isEmpty else { continue }
      let found = unit.resolve(open.map { addresses[$0] })
      for (index, location) in zip(open, found) where !location.isEmpty {
        result[index] = location
      }
    }
    return result
  }
}

/// What debug information knows about an address.
struct SourceLocation {
  /// Innermost first; the last is the function that has code of its own. Empty when no function
  /// is known, as for assembly.
  var frames: [SourceFrame] = []
  /// Place in the source by the line table.
  var file: String?
  var line: Int32 = 0

  var isEmpty: Bool { frames.isEmpty && file == nil }
}
