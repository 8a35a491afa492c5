import Testing

@testable import Capture

struct ProcessMapsTests {
  @Test func aLineIsReadFieldByField() throws {
    let line = "7f12a0028000-7f12a01bd000 r-xp 00028000 fe:00 1234   /usr/lib/libc.so.6\n"
    let entry = try #require(parseMaps(Array(line.utf8)).first)
    #expect(entry.start == 0x7f12_a002_8000)
    #expect(entry.end == 0x7f12_a01b_d000)
    #expect(entry.isExecutable && entry.isReadable)
    #expect(entry.offset == 0x28000)
    #expect(entry.device == 0xfe00)
    #expect(entry.inode == 1234)
    #expect(entry.path == "/usr/lib/libc.so.6")
    #expect(!entry.isDeleted)
  }

  @Test func pathsKeepTheirSpacesAndLoseTheMarkOfDeletion() {
    let text = """
      1000-2000 r-xp 0 08:01 9 /a b/c  d (deleted)
      2000-3000 rw-p 0 00:00 0
      3000-4000 r-xp 0 00:00 0 [vdso]
      """
    let entries = parseMaps(Array(text.utf8))
    #expect(entries.map(\.path) == ["/a b/c  d", "", "[vdso]"])
    #expect(entries.map(\.isDeleted) == [true, false, false])
    #expect(entries.map(\.isFile) == [true, false, false])
  }

  @Test(arguments: [
    "", "nonsense", "2000-1000 r-xp 0 0:0 0", "1000-2000 r-x 0 0:0 0", "1000-2000 r-xp 0 0:0",
    "1000-2000 r-xp zz 0:0 0", "1000-2000 r-xp 0 fffffffff:0 0", "1000-2000",
    "ffffffffffffffffff-0 r-xp 0 0:0 0 x",
  ])
  func otherLinesArePassedOver(line: String) {
    #expect(parseMaps(Array(line.utf8)).isEmpty)
  }
}
