import CUnwind
import Elf
import ProfileModel
import TestSupport
import Testing

/// Code that is known by its bytes, because nothing else describes it.
@Suite struct KnownCodeTests {
  private static let signalReturn: [UInt8] = [0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05]
  private static let startContext: [UInt8] = [0x48, 0x89, 0xdc, 0x48, 0x8b, 0x3b, 0x48, 0x85]
  private static let loader: [UInt8] = [
    0x48, 0x8d, 0x15, 1, 2, 3, 4, 0x4c, 0x89, 0xec, 0x41, 0xff, 0xe4,
  ]

  private func kind(_ code: [UInt8], at offset: UInt64 = 0) -> unwind_cfa {
    code.withUnsafeBufferPointer { buffer in
      var view = unwind_view(
        bytes: buffer.baseAddress, address: 0x1000, size: UInt64(buffer.count))
      return unwind_known_code(&view, 0x1000 + offset)
    }
  }

  @Test func recognisesWhatCLibrariesLeaveUndescribed() {
    #expect(kind(Self.signalReturn) == UNWIND_SIGNAL_RETURN)
    #expect(kind([0x90] + Self.signalReturn, at: 1) == UNWIND_SIGNAL_RETURN)
    #expect(kind(Self.startContext) == UNWIND_OUTERMOST)
    #expect(kind(Self.loader) == UNWIND_OUTERMOST)
    for code in [Self.signalReturn, Self.startContext, Self.loader] {
      var other = code
      other[2] ^= 1
      #expect(kind(other) == UNWIND_NO_ENTRY)
      #expect(kind(code, at: 1) == UNWIND_NO_ENTRY)
      #expect(kind(Array(code.prefix(7))) == UNWIND_NO_ENTRY)
    }
    #expect(kind(Self.loader.dropLast() + [0xe5]) == UNWIND_NO_ENTRY)
    #expect(kind([]) == UNWIND_NO_ENTRY)
  }

  /// The patterns are those of this machine's C library, and match nothing else there.
  @Test(arguments: [
    ("/lib/x86_64-linux-gnu/libc.so.6", UNWIND_SIGNAL_RETURN),
    ("/lib64/ld-linux-x86-64.so.2", UNWIND_OUTERMOST),
  ])
  func findsThemWhereTheyAre(path: String, wanted: unwind_cfa) throws {
    let tables = try #require(try FileTables(path: path))
    let segment = try #require(tables.image.segments.first { $0.isExecutable })
    let bytes = try #require(
      tables.image.bytes(at: segment.address, count: Int(segment.fileSize)))
    var view = unwind_view(
      bytes: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self),
      address: segment.address.rawValue, size: UInt64(bytes.count))
    let found = (0..<UInt64(bytes.count)).map { view.address + $0 }.filter {
      unwind_known_code(&view, $0) == wanted && tables.row(at: $0 - 1).cfaKind == UNWIND_NO_ENTRY
    }
    // libc describes its trampoline, one byte early for this reason.
    #expect(found.count == (wanted == UNWIND_SIGNAL_RETURN ? 0 : 1), "\(found)")
  }

  @Test func knowsCallInstructions() {
    let calls: [[UInt8]] = [
      [0xe8, 1, 2, 3, 4], [0xff, 0xd0], [0x41, 0xff, 0xd2], [0xff, 0x50, 8], [0xff, 0x14, 0xc8],
      [0xff, 0x54, 0xc8, 8], [0xff, 0x90, 0, 1, 0, 0], [0xff, 0x15, 1, 2, 3, 4],
      [0xff, 0x94, 0xc8, 0, 1, 0, 0],
    ]
    let others: [[UInt8]] = [
      [0xe9, 1, 2, 3, 4], [0xff, 0xe0], [0xff, 0x30], [0x90], [0xe8, 1, 2, 3], [0xff],
    ]
    func follows(_ instruction: [UInt8]) -> Bool {
      let code = [UInt8](repeating: 0x90, count: 8) + instruction
      return code.withUnsafeBufferPointer { buffer in
        var view = unwind_view(bytes: buffer.baseAddress, address: 0, size: UInt64(buffer.count))
        return unwind_follows_call(&view, view.size)
      }
    }
    for call in calls { #expect(follows(call), "\(call)") }
    for other in others { #expect(!follows(other), "\(other)") }
  }
}
