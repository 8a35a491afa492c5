package import CUnwind
package import ProfileModel
import Synchronization

/// Where a file's frame description entries are.
struct UnwindTables {
  /// `PT_GNU_EH_FRAME`, when it has a search table.
  let header: ElfImage.UnwindHeader?
  /// The segment that holds the header, and so `.eh_frame`.
  private nonisolated(unsafe) let searchable: unwind_section?
  /// What has no search table, or none that can be used. `.debug_frame` is what compilers write
  /// where exceptions are not to pass through (`-fno-asynchronous-unwind-tables -g`).
  private nonisolated(unsafe) let unsorted: [unwind_section]

  init(_ headers: ElfHeaders, _ file: UnsafeRawBufferPointer) {
    guard headers.isClass64, headers.isLittleEndian else {
      header = nil
      searchable = nil
      unsorted = []
      return
    }
    var header: ElfImage.UnwindHeader?
    var searchable: unwind_section?
    if let place = headers.unwindHeader,
      let section = Self.segment(holding: place.address, headers.segments, file)
    {
      header = Self.header(at: place, in: section)
      searchable = header == nil ? nil : section
    }
    self.header = header
    self.searchable = searchable
    unsorted = headers.sections.compactMap { section in
      guard section.hasPlainBytes,
        section.name == ".debug_frame" || section.name == ".eh_frame" && searchable == nil,
        let bytes = file.slice(at: section.offset, count: section.size)
      else { return nil }
      let isDebug = section.name == ".debug_frame"
      return unwind_section(
        view: unwind_view(bytes, at: isDebug ? 0 : section.address),
        format: isDebug ? UNWIND_DEBUG_FRAME : UNWIND_EH_FRAME)
    }
  }

  private static func segment(
    holding address: UInt64, _ segments: [ElfImage.Segment], _ file: UnsafeRawBufferPointer
  ) -> unwind_section? {
    let segment = segments.first { address &- $0.address.rawValue < $0.fileSize }
    guard let segment, let bytes = segments.bytes(file, from: segment.address.rawValue)
    else { return nil }
    return unwind_section(
      view: unwind_view(bytes, at: segment.address.rawValue), format: UNWIND_EH_FRAME)
  }

  /// Nil unless the header has the one form that linkers write and libunwind can search: version
  /// 1, `eh_frame_ptr` pcrel|sdata4, count udata4, table datarel|sdata4, all of it in the file.
  private static func header(
    at place: (address: UInt64, size: UInt64), in section: unwind_section
  ) -> ElfImage.UnwindHeader? {
    let bytes = UnsafeRawBufferPointer(
      start: section.view.bytes, count: Int(section.view.size))
    var reader = ByteReader(bytes)
    guard reader.skip(place.address &- section.view.address),
      reader.read(UInt32.self) == 0x3b03_1b01, reader.skip(4),
      let count = reader.read(UInt32.self), 12 + UInt64(count) * 8 <= place.size,
      withUnsafePointer(to: section, { unwind_has_table($0, place.address) })
    else { return nil }
    return ElfImage.UnwindHeader(
      address: FileAddress(place.address), size: place.size, entryCount: UInt64(count))
  }

  /// An entry and the section that it is of.
  struct Found: Sendable {
    nonisolated(unsafe) var section: unwind_section
    var entry: unwind_entry
  }

  func search(_ pc: UInt64) -> Found? {
    guard var section = searchable, let header else { return nil }
    var entry = unwind_entry()
    guard unwind_search(&section, header.address.rawValue, pc, &entry) else { return nil }
    return Found(section: section, entry: entry)
  }

  /// All entries that no search table leads to and that describe code of these segments, by
  /// address. (What a linker left out of the file has entries too, for other addresses.)
  func unsortedEntries(of segments: [ElfImage.Segment]) -> [Found] {
    var result: [Found] = []
    for var section in unsorted {
      var position = section.view.address
      var entry = unwind_entry()
      while unwind_next_entry(&section, &position, &entry) {
        let start = entry.start
        let isCode = segments.contains {
          $0.isExecutable && start &- $0.address.rawValue < $0.memorySize
        }
        if isCode { result.append(Found(section: section, entry: entry)) }
      }
    }
    return result.sorted { $0.entry.start < $1.entry.start }
  }
}

extension unwind_view {
  init(_ bytes: UnsafeRawBufferPointer, at address: UInt64) {
    self.init(
      bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), address: address,
      size: UInt64(bytes.count))
  }
}

extension ElfImage {
  /// `.eh_frame_hdr`, found by its program header.
  package struct UnwindHeader: Hashable, Sendable {
    package let address: FileAddress
    /// Bytes, with the table.
    package let size: UInt64
    package let entryCount: UInt64
  }

  /// Nil when there is none, or none that libunwind can search: its table must be sorted pairs of
  /// 32-bit distances and fit into the segment.
  package var unwindHeader: UnwindHeader? { unwindTables.header }

  /// The function, as the frame description entry states it, that `address` is in.
  package func functionRange(containing address: FileAddress) -> Range<FileAddress>? {
    unwindEntry(containing: address.rawValue).map {
      FileAddress($0.entry.start)..<FileAddress($0.entry.end)
    }
  }

  package func hasUnwindEntry(_ address: FileAddress) -> Bool {
    unwindEntry(containing: address.rawValue) != nil
  }

  /// How to get from a frame with its pc at `address` to its caller; of frames that made a call,
  /// the address before their return address is to be asked for.
  package func unwindRow(at address: FileAddress) -> unwind_row {
    let pc = address.rawValue
    let next = segments.bytes(file.bytes, from: pc &+ 1)
    var code = next.map { unwind_view($0, at: pc &+ 1) } ?? unwind_view()
    guard var found = unwindEntry(containing: pc) else {
      var none = unwind_section()
      return unwind_row_of(&none, nil, &code, pc)
    }
    return unwind_row_of(&found.section, &found.entry, &code, pc)
  }

  /// The unwind information says that the function at `address` has no caller: its return address
  /// is undefined. So speak `_start` and `clone3`, and a stack that ends elsewhere is incomplete.
  package func isOutermost(at address: FileAddress) -> Bool {
    unwindRow(at: address).cfa == UNWIND_OUTERMOST.rawValue
  }

  private func unwindEntry(containing pc: UInt64) -> UnwindTables.Found? {
    if let found = unwindTables.search(pc) { return found }
    return unsortedEntries.withLock { entries in
      let known = entries ?? unwindTables.unsortedEntries(of: segments)
      entries = known
      let next = known.partitioningIndex { $0.entry.start > pc }
      guard next > 0, pc < known[next - 1].entry.end else { return nil }
      return known[next - 1]
    }
  }
}
