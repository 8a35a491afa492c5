import CZlib

/// The gzip file format (RFC 1952) through zlib.
enum Gzip {
  static let magic: [UInt8] = [0x1f, 0x8b]

  enum Failure: Error, Hashable {
    /// Broken or cut off at this byte of the packed data.
    case corrupt(at: Int, reason: String)
    /// More than the limit comes out.
    case tooLarge
  }

  /// zlib's sign for "with a gzip header", added to the largest window.
  private static let gzipWindow: Int32 = 15 + 16
  private static let chunk = 1 << 16
  private static let streamSize = Int32(MemoryLayout<z_stream>.size)

  /// The same bytes for the same input: the header holds no time and no name.
  static func compress(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    let status = deflateInit2_(
      &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      streamSize)
    precondition(status == Z_OK, "zlib cannot allocate its state")
    defer { deflateEnd(&stream) }
    var result: [UInt8] = []
    var start = 0
    repeat {
      let end = min(start + chunk, bytes.count)
      var piece = Array(bytes[start..<end])
      start = end
      let flush = end == bytes.count ? Z_FINISH : Z_NO_FLUSH
      _ = run(&stream, on: &piece, into: &result) { deflate(&$0, flush) }
    } while start < bytes.count
    return result
  }

  /// Unpacks one or more members; at most `limit` bytes come out.
  static func decompress(_ bytes: [UInt8], limit: Int) throws(Failure) -> [UInt8] {
    var stream = z_stream()
    let status = inflateInit2_(&stream, gzipWindow, ZLIB_VERSION, streamSize)
    precondition(status == Z_OK, "zlib cannot allocate its state")
    defer { inflateEnd(&stream) }
    var result: [UInt8] = []
    var position = 0
    var isComplete = false
    while position < bytes.count {
      if isComplete { inflateReset(&stream) }
      var piece = Array(bytes[position..<min(position + chunk, bytes.count)])
      let status = run(&stream, on: &piece, into: &result, limit: limit) {
        inflate(&$0, Z_NO_FLUSH)
      }
      position += piece.count - Int(stream.avail_in)
      guard result.count <= limit else { throw .tooLarge }
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw .corrupt(at: position, reason: stream.msg.map { String(cString: $0) } ?? "bad data")
      }
      isComplete = status == Z_STREAM_END
    }
    guard isComplete else { throw .corrupt(at: position, reason: "it ends too early") }
    return result
  }

  /// Calls `step` until it has used up `input`, the member ends, or more than `limit` came out.
  private static func run(
    _ stream: inout z_stream, on input: inout [UInt8], into result: inout [UInt8],
    limit: Int = .max, step: (inout z_stream) -> Int32
  ) -> Int32 {
    var output = [UInt8](repeating: 0, count: chunk)
    return input.withUnsafeMutableBufferPointer { input in
      stream.next_in = input.baseAddress
      stream.avail_in = UInt32(input.count)
      var status = Z_OK
      repeat {
        output.withUnsafeMutableBufferPointer { output in
          stream.next_out = output.baseAddress
          stream.avail_out = UInt32(output.count)
          status = step(&stream)
        }
        result += output[..<(chunk - Int(stream.avail_out))]
      } while status == Z_OK && result.count <= limit
        && (stream.avail_in > 0 || stream.avail_out == 0)
      return status
    }
  }
}
