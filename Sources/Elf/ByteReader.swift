/// Reads little-endian values. Every read is checked; nil means that the bytes end before the value
/// does.
struct ByteReader {
  let bytes: UnsafeRawBufferPointer
  private(set) var position = 0

  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  var remaining: Int { bytes.count - position }

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
    return ByteReader(UnsafeRawBufferPointer(rebasing: bytes[first..<position]))
  }

  /// The bytes up to the next zero byte, which is consumed and not returned.
  mutating func cString() -> UnsafeRawBufferPointer? {
    let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
    guard let end = rest.firstIndex(of: 0) else { return nil }
    position += end + 1
    return UnsafeRawBufferPointer(rebasing: rest[..<end])
  }
}
