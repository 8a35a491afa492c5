package import ProfileModel

/// The sorted table of `.eh_frame_hdr` (LSB 5.0, 10.6.2), which leads from a pc to its frame
/// description entry.
struct UnwindTable {
  /// `PT_GNU_EH_FRAME`.
  let header: ElfImage.UnwindHeader
  private nonisolated(unsafe) let rows: UnsafeRawBufferPointer
  private let segments: [ElfImage.Segment]
  private nonisolated(unsafe) let file: UnsafeRawBufferPointer

  private static let rowsOffset: UInt64 = 12
  private static let rowSize: UInt64 = 8

  /// Nil unless the header has the one form that linkers write and libunwind can search: version
  /// 1, `eh_frame_ptr` pcrel|sdata4, count udata4, table datarel|sdata4, all of it in the file.
  init?(
    _ file: UnsafeRawBufferPointer, _ place: (address: UInt64, size: UInt64),
    _ segments: [ElfImage.Segment]
  ) {
    guard let content = segments.bytes(file, from: place.address) else { return nil }
    var reader = ByteReader(content, start: place.address)
    guard reader.read(UInt32.self) == 0x3b03_1b01, reader.skip(4),
      let count = reader.read(UInt32.self), count > 0
    else { return nil }
    let size = UInt64(count) * Self.rowSize
    guard Self.rowsOffset + size <= place.size,
      let rows = content.slice(at: Self.rowsOffset, count: size)
    else { return nil }
    header = ElfImage.UnwindHeader(
      address: FileAddress(place.address), size: place.size, entryCount: UInt64(count))
    self.rows = rows
    self.segments = segments
    self.file = file
  }

  /// The frame description entry whose range contains `pc`.
  func entry(containing pc: UInt64) -> FrameDescription? {
    let next = (0..<Int(header.entryCount)).partitioningIndex { address(row: $0, field: 0) > pc }
    guard next > 0 else { return nil }
    let entry = FrameDescription(at: address(row: next - 1, field: 4)) {
      segments.bytes(file, from: $0)
    }
    return entry.flatMap { $0.range.contains(pc) ? $0 : nil }
  }

  private func address(row: Int, field: Int) -> UInt64 {
    let offset = row * Int(Self.rowSize) + field
    let distance = Int32(littleEndian: rows.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    return header.address.rawValue &+ UInt64(bitPattern: Int64(distance))
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
  package var unwindHeader: UnwindHeader? { unwindTable?.header }

  /// The function, as the frame description entry states it, that `address` is in.
  package func functionRange(containing address: FileAddress) -> Range<FileAddress>? {
    unwindTable?.entry(containing: address.rawValue).map {
      FileAddress($0.range.lowerBound)..<FileAddress($0.range.upperBound)
    }
  }

  package func hasUnwindEntry(_ address: FileAddress) -> Bool {
    unwindTable?.entry(containing: address.rawValue) != nil
  }

  /// The unwind information says that the function at `address` has no caller: its return address
  /// is undefined. So speak `_start` and `clone3`, and a stack that ends elsewhere is incomplete.
  package func isOutermost(at address: FileAddress) -> Bool {
    guard let entry = unwindTable?.entry(containing: address.rawValue) else { return false }
    var machine = CallFrameMachine(entry)
    return machine.returnAddressIsUndefined(at: address.rawValue)
  }
}
