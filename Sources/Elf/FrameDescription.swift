/// A frame description entry of `.eh_frame` with what it needs of its common entry
/// (LSB 5.0, 10.6.1).
struct FrameDescription {
  /// Addresses of the code it describes; never empty.
  let range: Range<UInt64>
  let common: CommonInformation
  let instructions: ByteReader

  /// `bytes` gives the file's bytes from a file address to the end of its segment.
  init?(at address: UInt64, bytes: (UInt64) -> UnsafeRawBufferPointer?) {
    guard let content = bytes(address) else { return nil }
    var reader = ByteReader(content, start: address)
    guard var entry = reader.frameEntry() else { return nil }
    let distanceField = entry.address
    // In `.eh_frame` this is the distance back to the common entry; 0 marks a common entry.
    guard let distance = entry.read(UInt32.self), distance != 0,
      let commonContent = bytes(distanceField &- UInt64(distance)),
      let common = CommonInformation(
        ByteReader(commonContent, start: distanceField &- UInt64(distance))),
      let first = entry.pointer(common.pointerEncoding),
      // The range has the pointer's size and is relative to nothing.
      let size = entry.pointer(common.pointerEncoding & 0x0f), size > 0,
      case let (end, overflow) = first.addingReportingOverflow(size), !overflow
    else { return nil }
    if common.hasAugmentationData {
      guard let length = entry.uleb(), entry.skip(length) else { return nil }
    }
    range = first..<end
    self.common = common
    instructions = entry
  }
}

/// A common information entry of `.eh_frame`.
struct CommonInformation {
  private(set) var codeAlignment: UInt64 = 1
  private(set) var returnAddressColumn: UInt64 = 0
  private(set) var pointerEncoding: UInt8 = PointerEncoding.absolute
  private(set) var hasAugmentationData = false
  private(set) var instructions: ByteReader

  init?(_ source: ByteReader) {
    var reader = source
    guard var entry = reader.frameEntry(), entry.read(UInt32.self) == 0,
      let version = entry.read(UInt8.self), [1, 3, 4].contains(version),
      let augmentation = entry.cString()
    else { return nil }
    // Version 4 adds the sizes of addresses and segment selectors; only 8 and 0 are met here.
    if version == 4, entry.read(UInt16.self) != 0x0008 { return nil }
    instructions = entry
    guard let codeAlignment = entry.uleb(), entry.sleb() != nil,
      let column = version == 1 ? entry.read(UInt8.self).map(UInt64.init) : entry.uleb()
    else { return nil }
    self.codeAlignment = codeAlignment
    returnAddressColumn = column
    guard readAugmentation(augmentation, &entry) else { return nil }
    instructions = entry
  }

  private mutating func readAugmentation(
    _ text: UnsafeRawBufferPointer, _ entry: inout ByteReader
  ) -> Bool {
    guard let first = text.first else { return true }
    // Without its size the data of an unknown augmentation cannot be skipped.
    guard first == UInt8(ascii: "z"), let length = entry.uleb(), var data = entry.slice(length)
    else { return false }
    hasAugmentationData = true
    for letter in text.dropFirst() {
      switch letter {
      case UInt8(ascii: "R"):
        guard let encoding = data.read(UInt8.self) else { return false }
        pointerEncoding = encoding
      case UInt8(ascii: "P"):
        guard let encoding = data.read(UInt8.self),
          data.pointer(encoding & ~PointerEncoding.indirect) != nil
        else { return false }
      case UInt8(ascii: "L"):
        guard data.read(UInt8.self) != nil else { return false }
      case UInt8(ascii: "S"), UInt8(ascii: "B"): break
      default: return true  // What follows is unknown, and so is only ignored.
      }
    }
    return true
  }
}

/// `DW_EH_PE_*` (LSB 5.0, 10.5.1).
enum PointerEncoding {
  static let absolute: UInt8 = 0x00
  static let indirect: UInt8 = 0x80
  static let omitted: UInt8 = 0xff
}

extension ByteReader {
  /// The content of the entry that begins here, by its length field; nil at a terminator.
  fileprivate mutating func frameEntry() -> ByteReader? {
    guard let short = read(UInt32.self) else { return nil }
    guard let length = short == .max ? read(UInt64.self) : UInt64(short), length > 0 else {
      return nil
    }
    return slice(length)
  }

  /// A pointer in one of the encodings that tables of a linked file use. Nil for others.
  mutating func pointer(_ encoding: UInt8) -> UInt64? {
    let field = address
    let value: UInt64? =
      switch encoding & 0x0f {
      case 0x00, 0x04, 0x0c: read(UInt64.self)
      case 0x01: uleb()
      case 0x02: read(UInt16.self).map(UInt64.init)
      case 0x03: read(UInt32.self).map(UInt64.init)
      case 0x09: sleb().map(UInt64.init(bitPattern:))
      case 0x0a: read(Int16.self).map { UInt64(bitPattern: Int64($0)) }
      case 0x0b: read(Int32.self).map { UInt64(bitPattern: Int64($0)) }
      default: nil
      }
    switch encoding & 0xf0 {
    case 0x00: return value
    case 0x10: return value.map { field &+ $0 }
    default: return nil
    }
  }
}
