import Elf
import Foundation
import ProfileModel
import TestSupport
import Testing

/// Files of different linkers, types and languages that Debian and Swift ship.
let systemFiles = [
  "/bin/ls", "/usr/bin/perl", "/lib/x86_64-linux-gnu/libc.so.6",
  "/lib64/ld-linux-x86-64.so.2", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
  "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus",
]

@Suite struct HeaderTests {
  @Test(arguments: systemFiles) func agreesWithReadelf(path: String) throws {
    let image = try ElfImage(MappedFile(path: path))
    let oracle = Readelf(path: path)
    #expect(image.machine == 62)
    #expect(image.isClass64)

    let loads = try oracle.rows("-l").filter { $0.first == "LOAD" }
    #expect(!loads.isEmpty)
    for (segment, row) in zip(image.segments, loads) {
      #expect(segment.offset.rawValue == hex(row[1]))
      #expect(segment.address.rawValue == hex(row[2]))
      #expect(segment.fileSize == hex(row[4]))
      #expect(segment.memorySize == hex(row[5]))
      let flags = row[6..<row.count - 1].joined()
      #expect(segment.isExecutable == flags.contains("E"))
      #expect(segment.isWritable == flags.contains("W"))
    }
    #expect(image.segments.count == loads.count)

    let needed = try oracle.rows("-d").filter { $0.contains("(NEEDED)") }
      .compactMap { $0.last?.dropFirst().dropLast() }
    #expect(image.needed == needed.map(String.init))
    let interpreter = try oracle.rows("-l").first { $0.contains("interpreter:") }?.last?.dropLast()
    #expect(image.interpreter == interpreter.map(String.init))
    let id = try oracle.rows("-n").first { $0.contains("NT_GNU_BUILD_ID") }?.last
    #expect(image.buildID?.hex == id.map(String.init))
    #expect(image.hasSection(".text"))
    #expect(!image.hasSection(".nothing"))
  }

  @Test func readsTheDebugLink() throws {
    let scratch = try Scratch()
    let source = try scratch.write("int main(void) { return 0; }\n", "a.c")
    try run(["gcc", "-g", source, "-o", scratch("a")])
    try run(["objcopy", "--only-keep-debug", scratch("a"), scratch("a.debug")])
    #expect(try ElfImage(MappedFile(path: scratch("a"))).debugLink == nil)
    try run(["objcopy", "--add-gnu-debuglink=" + scratch("a.debug"), scratch("a")])
    let link = try #require(try ElfImage(MappedFile(path: scratch("a"))).debugLink)
    #expect(link.name == "a.debug")
    let crc = try Readelf(path: scratch("a")).rows("--debug-dump=links").first { $0.first == "CRC" }
    #expect(UInt64(link.crc) == crc?.last.flatMap { hex($0) })
    // A debug file has its build-id in a section only.
    let id = try ElfImage(MappedFile(path: scratch("a"))).buildID
    #expect(id != nil)
    #expect(try ElfImage(MappedFile(path: scratch("a.debug"))).buildID == id)
  }

  @Test func staticProgramsHaveNoInterpreter() throws {
    let scratch = try Scratch()
    let source = try scratch.write("int main(void) { return 0; }\n", "a.c")
    try run(["gcc", "-static", source, "-o", scratch("a")])
    let image = try ElfImage(MappedFile(path: scratch("a")))
    #expect(image.interpreter == nil)
    #expect(image.needed.isEmpty)
    #expect(image.type == 2)
  }

  @Test func readsThe32BitClass() throws {
    let scratch = try Scratch()
    let source = try scratch.write(".globl f\n.text\nf: ret\n", "a.s")
    try run(["as", "--32", source, "-o", scratch("a.o")])
    try run(["ld", "-m", "elf_i386", "-e", "f", scratch("a.o"), "-o", scratch("a")])
    let image = try ElfImage(MappedFile(path: scratch("a")))
    #expect(!image.isClass64)
    #expect(image.machine == 3)
    #expect(image.unwindHeader == nil)
    #expect(image.symbols.map(\.name) == ["f"])
  }

  @Test func mappedFileKnowsItsIdentity() throws {
    let file = try MappedFile(path: "/bin/ls")
    var status = stat()
    try #require(stat("/bin/ls", &status) == 0)
    #expect(file.device == UInt64(status.st_dev))
    #expect(file.inode == UInt64(status.st_ino))
    #expect(file.bytes.count == Int(status.st_size))
  }

  @Test func refusesWhatIsNoELFFile() throws {
    let scratch = try Scratch()
    func failure(_ path: String) -> ElfError? {
      do {
        _ = try ElfImage(MappedFile(path: path))
        return nil
      } catch { return error }
    }
    try run(["mkfifo", scratch("fifo")])
    try scratch.write("", "empty")
    try scratch.write("#!/bin/sh\n", "script")
    try scratch.write("!<arch>\n", "archive")
    #expect(failure("/nonexistent") == .cannotOpen(path: "/nonexistent", errno: ENOENT))
    #expect(failure(scratch.path) == .notRegular(path: scratch.path))
    #expect(failure(scratch("fifo")) == .notRegular(path: scratch("fifo")))
    #expect(failure(scratch("empty")) == .empty(path: scratch("empty")))
    #expect(failure(scratch("script")) == .notELF(path: scratch("script")))
    #expect(failure(scratch("archive")) == .notELF(path: scratch("archive")))
    #expect("\(ElfError.notELF(path: "/x"))".contains("/x is not an ELF file"))
  }
}
