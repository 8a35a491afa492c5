import Elf
import ProfileModel
import Testing

@Suite struct AddressTests {
  /// As lld lays files out: the page at 0x1000 ends the first segment and begins the second.
  private func sharedPage() throws -> ElfImage {
    var elf = SyntheticELF(size: 0x3000)
    elf.programs = [
      .init(flags: 4, offset: 0, address: 0, fileSize: 0x1800, memorySize: 0x1800),
      .init(flags: 5, offset: 0x1800, address: 0x2800, fileSize: 0x900, memorySize: 0x900),
      .init(flags: 6, offset: 0x2100, address: 0x4100, fileSize: 0x100, memorySize: 0x2000),
    ]
    elf.bytes[0x1800] = 0xc3
    return try elf.image()
  }

  @Test func executableSegmentWinsASharedPage() throws {
    let image = try sharedPage()
    // 0x1000 lies in the pages of segments 0 and 1; the code's copy is at 0x2800 - 0x800.
    #expect(image.fileAddress(of: FileOffset(0x1000)) == FileAddress(0x2000))
    #expect(image.fileAddress(of: FileOffset(0x1800)) == FileAddress(0x2800))
    #expect(image.fileAddress(of: FileOffset(0x2000)) == FileAddress(0x3000))
    #expect(image.fileAddress(of: FileOffset(0)) == FileAddress(0))
    #expect(image.fileAddress(of: FileOffset(0x3000)) == nil)
  }

  @Test func bytesEndWithTheFilePart() throws {
    let image = try sharedPage()
    #expect(image.bytes(at: FileAddress(0x2800), count: 1).map(Array.init) == [0xc3])
    #expect(image.bytes(at: FileAddress(0x2800), count: 0x900)?.count == 0x900)
    #expect(image.bytes(at: FileAddress(0x2800), count: 0x901) == nil)
    #expect(image.bytes(at: FileAddress(0x4100), count: 0x100) != nil)
    #expect(image.bytes(at: FileAddress(0x4200), count: 1) == nil)
    #expect(image.bytes(at: FileAddress(0x1fff), count: 1) == nil)
    #expect(image.bytes(at: FileAddress(.max), count: 1) == nil)
    #expect(image.bytes(at: FileAddress(0x2800), count: -1) == nil)
  }

  @Test func zeroFilledMemoryIsWithinTheImage() throws {
    let image = try sharedPage()
    #expect(image.withinImage(FileAddress(0x60ff)))
    #expect(!image.withinImage(FileAddress(0x6100)))
    #expect(!image.withinImage(FileAddress(0x1800)))
  }

  @Test func segmentsAreClampedToTheFile() throws {
    var elf = SyntheticELF(size: 0x1000)
    elf.programs = [
      .init(flags: 5, offset: 0x800, address: 0x800, fileSize: .max, memorySize: .max),
      .init(flags: 5, offset: .max, address: 0, fileSize: 1, memorySize: 1),
    ]
    let image = try elf.image()
    #expect(image.segments.count == 1)
    #expect(image.segments.first?.fileSize == 0x800)
    #expect(image.bytes(at: FileAddress(0x800), count: 0x800) != nil)
    #expect(image.bytes(at: FileAddress(0x800), count: 0x801) == nil)
  }
}
