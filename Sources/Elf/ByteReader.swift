/// Reads little-endian values from bytes that lie at a known file address. Every read is checked;
/// nil means that the bytes end before the value does.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  /// File address of the first byte.
  let start: UInt64
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer, start: UInt64 = 0) {
    self.bytes = bytes
    self.start = start
  }

  /// File address of the next byte.
  var address: UInt64 { start &+ UInt64(position) }
  var remaining: Int { bytes.count - position }
  var isAtEnd: Bool { position == bytes.count }

  mutating func read<T: FixedWidthInteger>(_: T.Type) -> T? {
    guard remaining >= MemoryLayout<T>.size else { return nil }
    defer { position += MemoryLayout<T>.size }
    return T(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: T.self))
  }

  mutating func skip(_ count: UInt64) -> Bool {
    guard count <= UInt64(remaining) else { return false }
    position += Int(count)
    return true
  }

  /// The next `count` bytes as a reader of their own; this one continues after them.
  mutating func slice(_ count: UInt64) -> ByteReader? {
    let first = position
    guard skip(count) else { return nil }
    return ByteReader(
      UnsafeRawBufferPointer(rebasing: bytes[first..<position]), start: start &+ UInt64(first))
  }

  /// Unsigned LEB128 (DWARF 5, 7.6). Bits above 64 are dropped.
  mutating func uleb() -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = read(UInt8.self) {
      if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    return nil
  }

  /// Signed LEB128 (DWARF 5, 7.6). Bits above 64 are dropped.
  mutating func sleb() -> Int64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while let byte = read(UInt8.self) {
      if shift < 64 { value |= UInt64(byte & 0x7f) << shift }
      shift += 7
      if byte & 0x80 == 0 {
        if shift < 64, byte & 0x40 != 0 { value |= ~0 << shift }
        return Int64(bitPattern: value)
      }
    }
    return nil
  }

  /// The bytes up to the next zero byte, which is consumed and not returned.
  mutating func cString() -> UnsafeRawBufferPointer? {
    let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
    guard let end = rest.firstIndex(of: 0) else { return nil }
    position += end + 1
    return UnsafeRawBufferPointer(rebasing: rest[..<end])
  }
}
