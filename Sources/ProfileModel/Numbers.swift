/// An address in a running process, as its registers hold it.
package struct RuntimeAddress: Hashable, Comparable, Sendable {
  package var rawValue: UInt64
  package init(_ rawValue: UInt64) { self.rawValue = rawValue }
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// An address as an ELF file states it (`st_value`, `p_vaddr`): the same in every process that
/// maps the file, whatever the loader chose as its base.
package struct FileAddress: Hashable, Comparable, Sendable {
  package var rawValue: UInt64
  package init(_ rawValue: UInt64) { self.rawValue = rawValue }
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A position in a file's bytes (`p_offset`, the offset column of `/proc/PID/maps`).
/// It equals the ``FileAddress`` of the same byte in many files, and not in others.
package struct FileOffset: Hashable, Comparable, Sendable {
  package var rawValue: UInt64
  package init(_ rawValue: UInt64) { self.rawValue = rawValue }
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A duration, or a time since the start of the recording on `CLOCK_MONOTONIC`.
package struct Nanoseconds: Hashable, Comparable, Sendable {
  package var rawValue: Int64
  package init(_ rawValue: Int64) { self.rawValue = rawValue }
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  package static func + (a: Self, b: Self) -> Self { Self(a.rawValue + b.rawValue) }
  package static func - (a: Self, b: Self) -> Self { Self(a.rawValue - b.rawValue) }
  package var seconds: Double { Double(rawValue) / 1e9 }
}

/// A size in memory.
package struct Bytes: Hashable, Comparable, Sendable {
  package var rawValue: Int64
  package init(_ rawValue: Int64) { self.rawValue = rawValue }
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// The identity a linker gave a file: the payload of its `NT_GNU_BUILD_ID` note.
package struct BuildID: Hashable, Sendable {
  package var bytes: [UInt8]
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Reads lower- or upper-case hexadecimal; nil when the text is empty, odd or not hexadecimal.
  package init?(hex: String) {
    let digits = Array(hex.utf8)
    guard !digits.isEmpty, digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let byte = UInt8(String(decoding: digits[i..<i + 2], as: UTF8.self), radix: 16)
      else { return nil }
      bytes.append(byte)
    }
    self.bytes = bytes
  }

  package var hex: String {
    bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
  }
}
