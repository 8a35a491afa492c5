/// The CRC-32 of `.gnu_debuglink` (the one of zlib: polynomial 0xedb88320, reflected).
enum Checksum {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
  }

  static func crc32(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      ~bytes.reduce(~UInt32(0)) { crc, byte in
        table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8
      }
    }
  }
}
