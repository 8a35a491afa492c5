import CFIFuzz
import CUnwind
import Foundation
import TestSupport
import Testing

/// Broken tables give no crash, no read outside of them, and an end.
@Suite struct DamageTests {
  /// Memory whose last byte is followed by a page that cannot be read, as is the one before it.
  private final class Fenced {
    private static let page = 4096
    private let map: UnsafeMutableRawPointer
    private let room: Int

    init(room: Int) throws {
      self.room = (room + Self.page - 1) / Self.page * Self.page
      let size = self.room + 2 * Self.page
      let flags = MAP_PRIVATE | MAP_ANONYMOUS
      map = try #require(mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0))
      mprotect(map, Self.page, PROT_NONE)
      mprotect(map + Self.page + self.room, Self.page, PROT_NONE)
    }
    deinit { munmap(map, room + 2 * Self.page) }

    /// Once up against the fence behind it, and once against that before it.
    func fuzz(_ bytes: [UInt8]) {
      bytes.withUnsafeBytes { source in
        guard let from = source.baseAddress else { return }
        for start in [map + Self.page + room - bytes.count, map + Self.page] {
          memcpy(start, from, bytes.count)
          _ = LLVMFuzzerTestOneInput(start.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
      }
    }
  }

  private static var corpus: [[UInt8]] {
    get throws {
      let folder = BuiltProducts.repository.appendingPathComponent("Fuzz/corpus/cfi")
      return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent($0)))
      }
    }
  }

  @Test func survivesTheCorpus() throws {
    let corpus = try Self.corpus
    #expect(corpus.count >= 4)
    let memory = try Fenced(room: corpus.map(\.count).max() ?? 0)
    for bytes in corpus { memory.fuzz(bytes) }
  }

  @Test func survivesDamage() throws {
    let seed = UInt64.random(in: .min ... .max)
    print("seed \(seed)")
    var random = RepeatableRandom(seed: seed)
    let corpus = try Self.corpus
    let memory = try Fenced(room: corpus.map(\.count).max() ?? 0)
    let telling: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, 0x0b, 0x0f, 0x10, 0x3b]
    for _ in 1...20_000 {
      var bytes = corpus[Int.random(in: corpus.indices, using: &random)]
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = telling[Int.random(in: telling.indices, using: &random)]
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        default: bytes.removeSubrange(max(place, 2)...)
        }
        if bytes.isEmpty { break }
      }
      memory.fuzz(bytes)
    }
  }

  /// Each common entry is read once for each entry that names it, so none may be long to read.
  @Test func hugeTablesTakeLinearTime() throws {
    // A common entry whose augmentation string does not end, and entries that all name it.
    let letters = [UInt8](repeating: 0x41, count: 200_000)
    var bytes = little(UInt64(5 + letters.count), 4) + little(0, 4) + [1] + letters
    while bytes.count < 1_000_000 {
      bytes += little(4, 4) + little(UInt64(bytes.count + 4), 4)
    }
    // Were the string read again each time, that would be 2 * 10^10 bytes: minutes.
    bytes.withUnsafeBufferPointer { buffer in
      var section = unwind_section(
        view: unwind_view(bytes: buffer.baseAddress, address: 0, size: UInt64(buffer.count)),
        format: UNWIND_EH_FRAME)
      var position: UInt64 = 0
      var entry = unwind_entry()
      let isFound = unwind_next_entry(&section, &position, &entry)
      #expect(!isFound)
    }
  }
}
