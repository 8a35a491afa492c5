/// A walk over the outermost fields of a protocol buffer, without building anything.
///
/// It bounds what decoding may cost: an empty message is two bytes in the file and a hundred in
/// memory. It also tells a profile from other binary data.
struct ProtobufScan {
  /// Far above any profile: pprof's own tools give up long before.
  static let maximumMessages = 20_000_000

  /// How often each field occurs, by its number.
  private(set) var counts: [Int: Int] = [:]
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) throws(ProfileFormatError) {
    self.bytes = bytes
    var messages = 0
    while position < bytes.count {
      let start = position
      let tag = try varint()
      let field = Int(truncatingIfNeeded: tag >> 3)
      guard (1...15).contains(field) else {
        throw .pprof(at: start, "field \(tag >> 3) is none of a profile's")
      }
      try skipValue(wireType: tag & 7)
      counts[field, default: 0] += 1
      messages += 1
      guard messages <= Self.maximumMessages else {
        throw .pprof(at: start, "more than \(Self.maximumMessages) entries")
      }
    }
  }

  private mutating func skipValue(wireType: UInt64) throws(ProfileFormatError) {
    let start = position
    let length: UInt64
    switch wireType {
    case 0:
      _ = try varint()
      return
    case 1: length = 8
    case 2: length = try varint()
    case 5: length = 4
    default: throw .pprof(at: start, "wire type \(wireType) does not occur in profiles")
    }
    guard length <= UInt64(bytes.count - position) else {
      throw .pprof(
        at: start, "an entry of \(length) bytes, where \(bytes.count - position) are left")
    }
    position += Int(length)
  }

  private mutating func varint() throws(ProfileFormatError) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard position < bytes.count else { throw .pprof(at: start, "a number is cut off") }
      let byte = bytes[position]
      position += 1
      value |= UInt64(byte & 0x7f) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw .pprof(at: start, "a number is longer than ten bytes")
  }
}
