import Elf
import Foundation
import ProfileModel
import TestSupport
import Testing

/// Damaged files give errors or less information, never a crash.
@Suite struct DamageTests {
  /// Asks everything there is to ask.
  private func exercise(_ bytes: [UInt8]) {
    guard let image = try? ElfImage(bytes: bytes) else { return }
    var addresses = image.symbols.prefix(50).map(\.address.rawValue)
    for segment in image.segments {
      let start = segment.address.rawValue
      addresses += [start, start &+ segment.fileSize / 2, start &+ segment.memorySize, start &- 1]
      _ = image.fileAddress(of: segment.offset)
    }
    for address in addresses.map({ FileAddress($0) }) {
      _ = image.functionRange(containing: address)
      _ = image.isOutermost(at: address)
      _ = image.symbol(containing: address)
      _ = image.bytes(at: address, count: 64)
      _ = image.withinImage(address)
    }
  }

  private func sample() throws -> [UInt8] {
    let scratch = try Scratch()
    let source = try scratch.write(
      "#include <stdio.h>\nint main(int n, char **v) { return printf(\"%d\", n + v[0][0]); }\n",
      "a.c")
    try run(["gcc", "-g", "-gz", source, "-o", scratch("a")])
    return Array(try Data(contentsOf: URL(fileURLWithPath: scratch("a"))))
  }

  @Test func truncationsDoNotCrash() throws {
    let file = try sample()
    for length in stride(from: 1, to: file.count, by: 61) { exercise(Array(file[..<length])) }
    #expect(throws: ElfError.notELF(path: "synthetic")) { try ElfImage(bytes: Array(file[..<3])) }
    #expect(throws: ElfError.self) { try ElfImage(bytes: Array(file[..<100])) }
  }

  @Test(arguments: [UInt64(1), 2, 3, 4]) func flippedBitsDoNotCrash(seed: UInt64) throws {
    print("seed \(seed)")
    let file = try sample()
    var random = RepeatableRandom(seed: seed)
    // Headers, dynamic section and unwind tables are small: aim at them, not only anywhere.
    let ends = [64, 64 + 13 * 56, file.count]
    for _ in 0..<300 {
      var damaged = file
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        let end = ends.randomElement(using: &random) ?? file.count
        damaged[Int.random(in: 16..<end, using: &random)] = UInt8.random(
          in: .min ... .max, using: &random)
      }
      exercise(damaged)
    }
    #expect(try ElfImage(bytes: file).symbols.contains { $0.name == "main" })
  }
}
