import Elf
import ProfileModel
import TestSupport
import Testing

@Suite struct UnwindTests {
  @Test(arguments: systemFiles) func rangesAndRootsAgreeWithReadelf(path: String) throws {
    let image = try ElfImage(MappedFile(path: path))
    let frames = try Readelf(path: path).frames()
    #expect(image.unwindHeader?.entryCount == UInt64(frames.count))
    var roots = 0
    for frame in frames {
      let range = FileAddress(frame.range.lowerBound)..<FileAddress(frame.range.upperBound)
      for address in [frame.range.lowerBound, frame.range.upperBound - 1] {
        #expect(image.functionRange(containing: FileAddress(address)) == range)
      }
      let edges = frame.outermost.flatMap { [$0.lowerBound, $0.upperBound] }
      let inside = edges.flatMap { [$0, $0 &- 1] } + [frame.range.lowerBound]
      for address in inside where frame.range.contains(address) {
        let expected = frame.outermost.contains { $0.contains(address) }
        #expect(
          image.isOutermost(at: FileAddress(address)) == expected,
          "at \(String(address, radix: 16)) of \(frame.range)")
        roots += expected ? 1 : 0
      }
    }
    let header = try Readelf(path: path).rows("-l").first { $0.first == "GNU_EH_FRAME" }
    #expect(image.unwindHeader?.address.rawValue == header.flatMap { hex($0[2]) })
    // A program has `_start`, the C library its threads.
    let isLibrary = path.contains("libstdc++") || path.contains("ld-linux")
    #expect((roots == 0) == isLibrary)
  }

  @Test func onlyRootsAreOutermost() throws {
    let libc = try ElfImage(MappedFile(path: "/lib/x86_64-linux-gnu/libc.so.6"))
    let symbols = try run(["nm", "-D", "--defined-only", libc.file.path])
    let clone = try #require(
      symbols.split(separator: "\n").first { $0.hasSuffix(" clone@@GLIBC_2.2.5") })
    let start = try #require(hex(clone.prefix(16)))
    // clone() is an ordinary function up to its system call and the root of a thread after it.
    #expect(!libc.isOutermost(at: FileAddress(start)))
    let program = try ElfImage(MappedFile(path: "/bin/ls"))
    let entry = try #require(
      try Readelf(path: "/bin/ls").rows("-h").first { $0.first == "Entry" }?.last)
    let address = FileAddress(try #require(hex(entry)))
    #expect(program.isOutermost(at: address))
    #expect(program.hasUnwindEntry(address))
    #expect(!program.isOutermost(at: FileAddress(0)))
    #expect(!program.hasUnwindEntry(FileAddress(0)))
  }
}

/// Hand-made unwind sections: one function at 0x1000..<0x1100.
@Suite struct HandMadeUnwindTests {
  private static let undefined: [UInt8] = [0x07, 16]
  private static let saved: [UInt8] = [0x90, 1]  // DW_CFA_offset r16

  /// `.eh_frame_hdr` at 0x400, CIE at 0x500 and FDE at 0x600, all in one segment.
  private func elf(
    initial: [UInt8] = [], _ instructions: [UInt8], augmentation: String = "zR",
    data: [UInt8] = [0x1b]
  ) -> SyntheticELF {
    var elf = SyntheticELF(size: 0x2000)
    elf.programs = [
      .init(flags: 5, offset: 0, address: 0, fileSize: 0x2000, memorySize: 0x2000),
      .init(
        type: 0x6474_e550, flags: 4, offset: 0x400, address: 0x400, fileSize: 20, memorySize: 20),
    ]
    elf.put(UInt32(0x3b03_1b01), at: 0x400)
    elf.put(UInt32(1), at: 0x408)
    elf.put(Int32(0x1000 - 0x400), at: 0x40c)
    elf.put(Int32(0x600 - 0x400), at: 0x410)
    var common: [UInt8] = [0, 0, 0, 0, 1] + Array(augmentation.utf8) + [0, 2, 0x78, 16]
    common += [UInt8(data.count)] + data + initial
    elf.put(UInt32(common.count), at: 0x500)
    elf.bytes.replaceSubrange(0x504..<0x504 + common.count, with: common)
    elf.put(UInt32(13 + instructions.count), at: 0x600)
    elf.put(UInt32(0x604 - 0x500), at: 0x604)
    elf.put(Int32(0x1000 - 0x608), at: 0x608)
    elf.put(UInt32(0x100), at: 0x60c)
    elf.bytes.replaceSubrange(0x611..<0x611 + instructions.count, with: instructions)
    return elf
  }

  /// Offsets into the function, of those asked for, where it is outermost.
  private func roots(_ elf: SyntheticELF, _ offsets: UInt64...) throws -> [UInt64] {
    let image = try elf.image()
    return offsets.filter { image.isOutermost(at: FileAddress(0x1000 + $0)) }
  }

  @Test func advancesByTheCodeAlignment() throws {
    // The code alignment is 2, so each advance counts double.
    let steps: [[UInt8]] = [
      [0x44], [0x02, 4], [0x03, 4, 0], [0x04, 4, 0, 0, 0], [0x1d, 4, 0, 0, 0, 0, 0, 0, 0],
      [0x01, 0xf6, 0x09, 0, 0],  // DW_CFA_set_loc 0x1008, from 0x612
    ]
    for step in steps {
      #expect(try roots(elf(step + Self.undefined), 0, 7, 8, 0xff, 0x100) == [8, 0xff])
    }
  }

  @Test func rulesOfOtherRegistersDoNotMatter() throws {
    let others: [UInt8] = [
      0x0c, 7, 8, 0x0d, 6, 0x0e, 16, 0x0f, 2, 0x77, 0, 0x10, 3, 1, 0x50, 0x16, 3, 1, 0x50,
      0x05, 3, 1, 0x09, 3, 4, 0x11, 3, 0x7e, 0x14, 3, 1, 0x15, 3, 1, 0x2f, 3, 1, 0x12, 7, 1,
      0x13, 2, 0x2e, 0, 0x06, 3, 0x07, 3, 0x08, 3, 0xc3, 0x83, 1, 0,
    ]
    #expect(try roots(elf(others + Self.undefined + others), 0) == [0])
    #expect(try roots(elf(others), 0) == [])
  }

  @Test func laterRulesReplaceEarlierOnes() throws {
    let definitions: [[UInt8]] = [
      Self.saved, [0x05, 16, 1], [0x08, 16], [0x09, 16, 3], [0x11, 16, 1], [0x14, 16, 1],
      [0x15, 16, 1], [0x10, 16, 1, 0x50], [0x16, 16, 1, 0x50],
    ]
    for definition in definitions {
      #expect(try roots(elf(Self.undefined + [0x41] + definition), 0, 2) == [0])
      #expect(try roots(elf(initial: Self.undefined, [0x41] + definition), 0, 2) == [0])
    }
  }

  @Test func restoresTheInitialRule() throws {
    for restore: [UInt8] in [[0xd0], [0x06, 16]] {
      #expect(try roots(elf(initial: Self.saved, Self.undefined + [0x41] + restore), 0, 2) == [0])
      #expect(
        try roots(elf(initial: Self.undefined, Self.saved + [0x41] + restore), 0, 2) == [2])
    }
  }

  @Test func restoresRememberedStates() throws {
    // saved | remember, undefined | remember, saved | restore | restore
    let program: [UInt8] =
      Self.saved + [0x41, 0x0a] + Self.undefined + [0x41, 0x0a] + Self.saved + [0x41, 0x0b]
      + [0x41, 0x0b]
    #expect(try roots(elf(program), 0, 2, 4, 6, 8) == [2, 6])
  }

  @Test func unknownOrCutInstructionsProveNothing() throws {
    let broken: [[UInt8]] = [[0x3f], [0x0b], [0x0f, 0x7f], [0x80], [0x04, 1], [0x07, 0x80]]
    for instructions in broken {
      #expect(try roots(elf(Self.undefined + instructions), 0) == [])
    }
    // An advance past the end of the address space stops as well.
    let far: [UInt8] = [0x1d] + Array(repeating: 0xff, count: 8)
    #expect(try roots(elf(Self.undefined + far), 0) == [])
  }

  @Test func readsTheAugmentation() throws {
    // P with absptr (9 bytes), L, S, then R last.
    let data: [UInt8] = [0x00, 1, 2, 3, 4, 5, 6, 7, 8, 0x1b, 0x1b]
    let long = elf(Self.undefined, augmentation: "zPLSR", data: data)
    #expect(try roots(long, 0) == [0])
    #expect(try roots(elf(Self.undefined, augmentation: "eh"), 0) == [])
    // An indirect personality, as position-independent code has it.
    let indirect = elf(Self.undefined, augmentation: "zPR", data: [0x9b, 1, 2, 3, 4, 0x1b])
    #expect(try roots(indirect, 0) == [0])
  }

  @Test func entryDecidesWhereItsRangeEnds() throws {
    let image = try elf([]).image()
    let range = FileAddress(0x1000)..<FileAddress(0x1100)
    #expect(image.functionRange(containing: FileAddress(0x10ff)) == range)
    // The table's last row would answer for everything behind it.
    #expect(image.functionRange(containing: FileAddress(0x1100)) == nil)
    #expect(image.functionRange(containing: FileAddress(0xfff)) == nil)
  }

  @Test func headerMustHaveTheSearchableForm() throws {
    let good = elf([])
    let header = try #require(try good.image().unwindHeader)
    #expect(header.address == FileAddress(0x400))
    #expect(header.size == 20)
    #expect(header.entryCount == 1)
    for (offset, value) in [(0x400, 2), (0x401, 0x1c), (0x402, 0x04), (0x403, 0x3c), (0x408, 2)] {
      var bad = good
      bad.bytes[offset] = UInt8(value)
      #expect(try bad.image().unwindHeader == nil)
      #expect(try bad.image().functionRange(containing: FileAddress(0x1000)) == nil)
    }
    var short = good
    short.programs[1].fileSize = 19
    #expect(try short.image().unwindHeader == nil)
  }
}
