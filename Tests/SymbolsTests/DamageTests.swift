import Elf
import Foundation
import ProfileModel
import Symbols
import TestSupport
import Testing

/// Damaged debug information gives less information, never a crash or an endless loop.
@Suite struct DamageTests {
  private func sample(_ scratch: Scratch, _ options: [String]) throws -> (Data, [UInt64]) {
    let file = try scratch.write(source, "shop.cc")
    try run(["g++", "-O2", file, "-o", scratch("shop")] + options)
    let addresses = try instructions(scratch("shop"))
    return (try Data(contentsOf: URL(fileURLWithPath: scratch("shop"))), addresses)
  }

  @Test(arguments: [["-gdwarf-5"], ["-gdwarf-4"], ["-g", "-gz"]])
  func flippedBytesDoNotCrash(options: [String]) throws {
    let seed: UInt64 = 7
    print("seed \(seed)")
    let scratch = try Scratch()
    let (file, addresses) = try sample(scratch, options)
    // Where the debug sections lie: damage elsewhere is the matter of ElfTests.
    let header = try #require(
      try run(["readelf", "-SW", scratch("shop")]).split(separator: "\n")
        .first { $0.contains(".debug_aranges") })
    // Columns after the index in brackets: name, type, address, offset.
    let columns = header.split(separator: "]")[1].split(separator: " ")
    let start = try #require(Int(columns[3], radix: 16))
    var random = RepeatableRandom(seed: seed)
    for _ in 0..<150 {
      var damaged = file
      for _ in 0..<Int.random(in: 1...20, using: &random) {
        damaged[Int.random(in: start..<file.count, using: &random)] = .random(
          in: .min ... .max, using: &random)
      }
      try damaged.write(to: URL(fileURLWithPath: scratch("damaged")))
      let symbolized = Symbolized(scratch("damaged"), addresses)
      #expect(symbolized.texts.count == addresses.count)
    }
  }

  @Test func truncatedFilesDoNotCrash() throws {
    let scratch = try Scratch()
    let (file, addresses) = try sample(scratch, ["-g"])
    for length in stride(from: 64, to: file.count, by: 997) {
      try file.prefix(length).write(to: URL(fileURLWithPath: scratch("short")))
      let symbolized = Symbolized(scratch("short"), addresses)
      #expect(symbolized.texts.count == addresses.count)
    }
  }
}
