package import ProfileModel
import Synchronization

/// An ELF file as a profiler needs it: where its code is loaded, who it is, how its frames are
/// unwound and what its functions are called.
///
/// The file is untrusted. Whatever in it does not fit or makes no sense is reported as absent;
/// only a file without readable headers is an error.
package final class ElfImage: Sendable {
  /// A `PT_LOAD` program header.
  package struct Segment: Hashable, Sendable {
    package let address: FileAddress
    package let memorySize: UInt64
    package let offset: FileOffset
    /// Clamped to the end of the file.
    package let fileSize: UInt64
    package let isExecutable: Bool
    package let isWritable: Bool
  }

  /// A section header, with its name.
  struct Section {
    let name: String
    let isExecutable: Bool
    let address: UInt64
    let offset: UInt64
    let size: UInt64
    let entrySize: UInt64
    /// The section takes no room in the file (`SHT_NOBITS`) or is compressed.
    let hasPlainBytes: Bool
  }

  /// Contents of `.gnu_debuglink`: a file name without folder, and the CRC-32 of that file.
  package struct DebugLink: Hashable, Sendable {
    package let name: String
    package let crc: UInt32
  }

  /// Contents of `.gnu_debugaltlink`: where the debug information that several files share lies
  /// (made by `dwz`), and its build-id.
  package struct AlternateLink: Hashable, Sendable {
    package let path: String
    package let buildID: BuildID
  }

  package let file: MappedFile
  /// `e_machine`: 62 is `EM_X86_64`.
  package let machine: UInt16
  package let isClass64: Bool
  /// `e_type`: 2 is `ET_EXEC`, 3 is `ET_DYN`.
  package let type: UInt16
  package let segments: [Segment]
  /// The loader a program asks for (`PT_INTERP`); nil for libraries and static programs.
  package let interpreter: String?
  /// `DT_NEEDED`, in the order of the dynamic section.
  package let needed: [String]
  package let buildID: BuildID?
  package let debugLink: DebugLink?
  package let alternateLink: AlternateLink?
  let sections: [Section]
  let unwindTables: UnwindTables
  /// Read when first needed, as most files have a search table for all of their code.
  let unsortedEntries = Mutex<[UnwindTables.Found]?>(nil)
  let symbolTable = Mutex<SymbolTable?>(nil)

  package init(_ file: MappedFile) throws(ElfError) {
    let headers = try ElfHeaders(file)
    self.file = file
    machine = headers.machine
    isClass64 = headers.isClass64
    type = headers.type
    segments = headers.segments
    interpreter = headers.interpreter
    needed = headers.needed
    buildID = headers.buildID
    debugLink = headers.debugLink
    alternateLink = headers.alternateLink
    sections = headers.sections
    unwindTables = UnwindTables(headers, file.bytes)
  }

  /// An image that has no file, such as the vDSO. The bytes are copied; `name` is for messages.
  package convenience init(memory: UnsafeRawBufferPointer, name: String) throws(ElfError) {
    try self.init(MappedFile(copying: memory, name: name))
  }

  /// Code that runs when the object is loaded and unloaded: `.init` and `.fini`. Their functions
  /// are put together from pieces of crti.o, which have no unwind entry.
  package var startupCode: [Range<FileAddress>] {
    sections.filter { $0.isExecutable && [".init", ".fini"].contains($0.name) }.map {
      FileAddress($0.address)..<FileAddress(max($0.address, $0.address &+ $0.size))
    }
  }

  package func hasSection(_ name: String) -> Bool { section(name) != nil }

  func section(_ name: String) -> Section? { sections.first { $0.name == name } }

  /// The bytes of a section that lie in the file as they are.
  func bytes(of section: Section) -> UnsafeRawBufferPointer? {
    guard section.hasPlainBytes else { return nil }
    return file.bytes.slice(at: section.offset, count: section.size)
  }
}

// MARK: - Addresses

extension ElfImage {
  /// Where the loader puts the byte at `offset`.
  ///
  /// Segments are loaded in whole pages, so one page of the file can be part of two of them (lld
  /// lays its files out so). The executable segment wins: the question is asked for code.
  package func fileAddress(of offset: FileOffset) -> FileAddress? {
    let covering = segments.filter { $0.pages.contains(offset.rawValue) }
    let segment = covering.first(where: \.isExecutable) ?? covering.first
    return segment.map {
      FileAddress($0.address.rawValue &+ (offset.rawValue &- $0.offset.rawValue))
    }
  }

  /// `count` bytes that the file holds for `address`: code, constants, initial values of data.
  /// Nil where a segment has no file behind it, and outside all segments. Valid while the image is.
  package func bytes(at address: FileAddress, count: Int) -> UnsafeRawBufferPointer? {
    guard count >= 0, let rest = segments.bytes(file.bytes, from: address.rawValue),
      rest.count >= count
    else { return nil }
    return UnsafeRawBufferPointer(rebasing: rest[..<count])
  }

  /// The loader gives `address` to this image, be it from the file or as zeros.
  package func withinImage(_ address: FileAddress) -> Bool {
    segments.contains { address.rawValue &- $0.address.rawValue < $0.memorySize }
  }
}

extension ElfImage.Segment {
  /// File offsets of the pages that the loader maps for this segment.
  fileprivate var pages: Range<UInt64> {
    let page: UInt64 = 4096
    let first = offset.rawValue & ~(page - 1)
    // Cannot overflow: both are within the file's size, which `MappedFile` bounds.
    let end = (offset.rawValue + fileSize + page - 1) & ~(page - 1)
    return first..<max(first, end)
  }
}

extension [ElfImage.Segment] {
  /// The file's bytes from `address` to the end of its segment.
  func bytes(_ file: UnsafeRawBufferPointer, from address: UInt64) -> UnsafeRawBufferPointer? {
    for segment in self {
      let distance = address &- segment.address.rawValue
      if distance < segment.fileSize {
        return file.slice(
          at: segment.offset.rawValue &+ distance, count: segment.fileSize &- distance)
      }
    }
    return nil
  }
}

extension UnsafeRawBufferPointer {
  /// The part at `offset`, when all of it lies inside.
  func slice(at offset: UInt64, count: UInt64) -> UnsafeRawBufferPointer? {
    let size = UInt64(self.count)
    guard offset <= size, count <= size - offset else { return nil }
    return UnsafeRawBufferPointer(rebasing: self[Int(offset)..<Int(offset + count)])
  }
}
