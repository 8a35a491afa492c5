import Elf

/// Builds 64-bit little-endian ELF files of program headers and bytes, for cases that no linker
/// makes on demand.
struct SyntheticELF {
  struct Program {
    var type: UInt32 = 1
    var flags: UInt32
    var offset: UInt64
    var address: UInt64
    var fileSize: UInt64
    var memorySize: UInt64
  }
  var programs: [Program] = []
  /// The whole file; the headers are written over its first bytes.
  var bytes: [UInt8]

  init(size: Int) { bytes = Array(repeating: 0, count: size) }

  mutating func put(_ value: some FixedWidthInteger, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) {
      bytes.replaceSubrange(offset..<offset + $0.count, with: $0)
    }
  }

  /// The finished file.
  func file() -> [UInt8] {
    var result = self
    result.bytes.replaceSubrange(0..<7, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1])
    result.put(UInt16(3), at: 16)  // ET_DYN
    result.put(UInt16(62), at: 18)  // EM_X86_64
    result.put(UInt32(1), at: 20)
    result.put(UInt64(64), at: 32)  // e_phoff
    result.put(UInt16(64), at: 52)
    result.put(UInt16(56), at: 54)
    result.put(UInt16(programs.count), at: 56)
    result.put(UInt16(64), at: 58)
    for (index, program) in programs.enumerated() {
      let start = 64 + 56 * index
      result.put(program.type, at: start)
      result.put(program.flags, at: start + 4)
      result.put(program.offset, at: start + 8)
      result.put(program.address, at: start + 16)
      result.put(program.address, at: start + 24)
      result.put(program.fileSize, at: start + 32)
      result.put(program.memorySize, at: start + 40)
    }
    return result.bytes
  }

  func image() throws(ElfError) -> ElfImage { try ElfImage(bytes: file()) }
}

extension ElfImage {
  convenience init(bytes: [UInt8]) throws(ElfError) {
    // `withUnsafeBytes` cannot pass a typed error on while the initialiser delegates.
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
    defer { copy.deallocate() }
    copy.copyBytes(from: bytes)
    try self.init(memory: UnsafeRawBufferPointer(copy), name: "synthetic")
  }
}
