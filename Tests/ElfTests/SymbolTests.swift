import Elf
import ProfileModel
import TestSupport
import Testing

@Suite struct SymbolTests {
  /// Name of each address and size that `nm` lists as code.
  private func listed(_ path: String) throws -> [UInt64: [(name: String, size: UInt64)]] {
    var result: [UInt64: [(String, UInt64)]] = [:]
    for table in [["nm", "-S"], ["nm", "-S", "-D"]] {
      for line in try run(table + ["--defined-only", path]).split(separator: "\n") {
        let row = line.split(separator: " ")
        guard row.count == 4, "tTwWiu".contains(row[2]), let address = hex(row[0]),
          let size = hex(row[1])
        else { continue }
        let name = row[3].dropFirst().firstIndex(of: "@").map { row[3][..<$0] } ?? row[3]
        result[address, default: []].append((String(name), size))
      }
    }
    return result
  }

  @Test(arguments: [
    "/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    "/usr/bin/perl",
  ]) func agreesWithNm(path: String) throws {
    let image = try ElfImage(MappedFile(path: path))
    let expected = try listed(path)
    #expect(expected.count > 1000)
    let symbols = Dictionary(uniqueKeysWithValues: image.symbols.map { ($0.address.rawValue, $0) })
    for (address, names) in expected {
      // libc lists some data among its weak names; those are no code.
      guard let symbol = symbols[address] else {
        #expect(names.allSatisfy { $0.name != "main" && $0.name != "malloc" })
        continue
      }
      #expect(names.contains { $0.name == symbol.name })
      guard symbol.size > 0 else { continue }
      #expect(image.symbol(containing: FileAddress(address)) == symbol)
      #expect(
        image.symbol(containing: FileAddress(address + symbol.size - 1))?.address.rawValue
          ?? 0 >= address)
    }
    let functions = image.symbols.filter { !$0.name.hasSuffix("@plt") }
    #expect(functions.count > expected.count * 9 / 10)
    #expect(functions.allSatisfy { expected[$0.address.rawValue] != nil || $0.size == 0 })
  }

  @Test func stubsHaveTheNamesThatObjdumpGivesThem() throws {
    for path in ["/bin/ls", "/usr/bin/perl", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6"] {
      let image = try ElfImage(MappedFile(path: path))
      let labels = try run([
        "objdump", "-d", "-j", ".plt", "-j", ".plt.got", "-j", ".plt.sec", path,
      ])
      .split(separator: "\n").filter { $0.contains("@plt>:") }
      #expect(labels.count > 1)
      for label in labels {
        let name = label.dropFirst(18).dropLast(2)
        let address = FileAddress(try #require(hex(label.prefix(16))))
        #expect(image.symbol(containing: address)?.name == String(name))
      }
    }
  }

  private func assemble(_ text: String) throws -> ElfImage {
    let scratch = try Scratch()
    let source = try scratch.write(text, "a.s")
    try run(["as", source, "-o", scratch("a.o")])
    try run(["ld", "-shared", "--eh-frame-hdr", scratch("a.o"), "-o", scratch("a.so")])
    return try ElfImage(MappedFile(path: scratch("a.so")))
  }

  /// The name at each 16-byte step of `.text`, and one byte before the next.
  private func names(_ image: ElfImage, _ first: String) throws -> [String?] {
    let start = try #require(image.symbols.first { $0.name == first }).address.rawValue
    return (0..<4).flatMap { step in
      [0, 15].map { image.symbol(containing: FileAddress(start + 16 * step + $0))?.name }
    }
  }

  @Test func symbolsWithoutSizeReachToTheNext() throws {
    let image = try assemble(
      """
      .globl a, c
      .text
      a: .fill 16, 1, 0x90
      b: .fill 16, 1, 0x90
      .type c, @function
      .size c, 8
      c: .fill 16, 1, 0x90
      d: .fill 16, 1, 0x90
      """)
    // c states 8 bytes, so nothing is known about its last one.
    #expect(try names(image, "a") == ["a", "a", "b", "b", "c", nil, "d", "d"])
    let end = try #require(image.symbols.last).address.rawValue + 16
    #expect(image.symbol(containing: FileAddress(end)) == nil)
  }

  @Test func unwindEntryBoundsASymbolWithoutSize() throws {
    let image = try assemble(
      """
      .globl a
      .text
      .cfi_sections .eh_frame
      .cfi_startproc
      a: .fill 16, 1, 0x90
      .cfi_endproc
      .fill 16, 1, 0x90
      .cfi_startproc
      .fill 16, 1, 0x90
      .cfi_endproc
      .fill 16, 1, 0x90
      """)
    #expect(try names(image, "a") == ["a", "a", nil, nil, nil, nil, nil, nil])
  }

  @Test func innermostSymbolAndBestNameWin() throws {
    let image = try assemble(
      """
      .text
      .globl outer, second, zz, longer
      .weak aa
      .type outer, @function
      .size outer, 64
      outer: .fill 16, 1, 0x90
      .type inner, @function
      .size inner, 16
      inner: .fill 16, 1, 0x90
      aa:
      longer:
      zz:
      second: .fill 32, 1, 0x90
      .type second, @function
      .type zz, @function
      .type aa, @function
      .size aa, 8
      .size second, 8
      .size zz, 8
      """)
    // Global before weak, shortest before longer; "longer" has no size. Behind them is outer again.
    let expected = ["outer", "outer", "inner", "inner", "zz", "outer", "outer", "outer"]
    #expect(try names(image, "outer") == expected)
  }

  @Test func stripsVersions() throws {
    let scratch = try Scratch()
    let source = try scratch.write(
      ".globl f_old\n.type f_old, @function\n.symver f_old, f@@V1\n.text\nf_old: ret\n"
        + ".size f_old, 1\n", "a.s")
    let script = try scratch.write("V1 { global: f; local: *; };\n", "map")
    try run(["gcc", "-shared", "-Wl,--version-script=" + script, source, "-o", scratch("a.so")])
    let names = try ElfImage(MappedFile(path: scratch("a.so"))).symbols.map(\.name)
    #expect(try run(["nm", scratch("a.so")]).contains("f@@V1"))
    #expect(names.contains("f"))
    #expect(!names.contains { $0.contains("V1") })
  }
}
