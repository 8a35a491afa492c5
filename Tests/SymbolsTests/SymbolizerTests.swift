import Elf
import Foundation
import ProfileModel
import Symbols
import TestSupport
import Testing

@Suite struct SymbolizerTests {
  private func build(
    _ scratch: Scratch, _ options: [String], compiler: String = "g++"
  ) throws -> String {
    let file = try scratch.write(source, "shop.cc")
    try run([compiler, file, "-o", scratch("shop")] + options)
    return scratch("shop")
  }

  private func expectAgreement(_ path: String) throws {
    let addresses = try instructions(path)
    let symbolized = Symbolized(path, addresses)
    #expect(symbolized.problems.isEmpty)
    let llvm = try llvmSymbolizer(path, addresses)
    let binutils = try addr2line(path, addresses)
    try #require(llvm.count == addresses.count && binutils.count == addresses.count)
    func place(_ text: String) -> Substring? { text.split(separator: " ").last }
    var inlined = 0
    for (index, mine) in symbolized.texts.enumerated() {
      // Start-up code has no debug information, but a file name in the symbol table; and padding
      // behind a function belongs to it for some tools.
      guard let first = mine.first, !first.hasSuffix("??:0") else { continue }
      // The unlikely part of a function is the function, not one of its own.
      let theirs = llvm[index].map { $0.replacing(".cold ", with: " ") }
      #expect(mine == theirs, "at \(String(addresses[index], radix: 16))")
      #expect(mine.map(place) == binutils[index].map(place))
      #expect(mine.count > 1 || mine == binutils[index])
      inlined += mine.count > 1 ? 1 : 0
    }
    #expect(inlined > 5)
  }

  @Test(arguments: [
    ["-g", "-O2"], ["-gdwarf-4", "-O2"], ["-g", "-O3", "-gz"], ["-g", "-O1", "-fPIE", "-static"],
    ["-g", "-O2", "-no-pie", "-ffunction-sections"], ["-g", "-O2", "-gno-as-locview-support"],
  ]) func agreesWithOtherSymbolizers(options: [String]) throws {
    let scratch = try Scratch()
    let path = try build(scratch, options)
    let main = try address(of: "main", in: path)
    if options.contains("-static") {
      #expect(Symbolized(path, [main]).frames(0).last?.name == "main")
    } else {
      try expectAgreement(path)
    }
  }

  /// Clang writes no `.debug_aranges` and uses indexed forms that GCC does not.
  @Test(arguments: [["-gdwarf-5", "-O2"], ["-gdwarf-4", "-O2"]])
  func agreesOnProgramsOfClang(options: [String]) throws {
    let scratch = try Scratch()
    try expectAgreement(build(scratch, options, compiler: "clang++"))
  }

  @Test func unitsWithoutArangesAreFound() throws {
    let scratch = try Scratch()
    let path = try build(scratch, ["-g", "-O2"])
    try run(["objcopy", "--remove-section=.debug_aranges", path])
    #expect(try !ElfImage(MappedFile(path: path)).hasSection(".debug_aranges"))
    try expectAgreement(path)
  }

  @Test func readsSplitDebugInformation() throws {
    let scratch = try Scratch()
    let file = try scratch.write(source, "shop.cc")
    try run(["g++", "-g", "-O2", "-c", "-gsplit-dwarf", file, "-o", scratch("shop.o")])
    try run(["g++", scratch("shop.o"), "-o", scratch("split")])
    let whole = try build(scratch, ["-g", "-O2"])
    let functions = ["_ZN4shop3sumEPKNS_4ItemEi", "_ZN4shop5depthEi", "main"]
    for function in functions {
      let start = try address(of: function, in: whole)
      let splitStart = try address(of: function, in: scratch("split"))
      let offsets = (0..<40).map(UInt64.init)
      let expected = Symbolized(whole, offsets.map { start + $0 }).texts
      #expect(Symbolized(scratch("split"), offsets.map { splitStart + $0 }).texts == expected)
    }
  }

  /// Lines counted by hand in ``source``.
  @Test func inlinedCallsHaveTheLineOfTheCall() throws {
    let scratch = try Scratch()
    let path = try build(scratch, ["-g", "-O2"])
    let symbolized = Symbolized(path, try instructions(path))
    let all = symbolized.texts.indices.map { symbolized.frames($0) }
    let stacks = all.filter { frames in
      frames.count == 3 && frames[0].line == 5
        && frames[2].name == "shop::sum(shop::Item const*, int)"
    }
    let deep = try #require(stacks.first)
    #expect(deep.map(\.name).prefix(2) == ["shop::tax", "shop::total<int>"])
    #expect(deep.map(\.line) == [5, 7, 17])
    #expect(deep.map(\.isInlined) == [true, true, false])
    #expect(deep.allSatisfy { $0.file == scratch("shop.cc") })
    let sum = symbolized.profile.functions.rows.first {
      symbolized.profile.strings[$0.systemName] == "_ZN4shop3sumEPKNS_4ItemEi"
    }
    #expect(sum?.startLine == 14)
    let lambda = try #require(all.first { $0.first?.name.hasSuffix("operator()") == true })
    #expect(lambda.map(\.name) == ["shop::depth::{lambda}::operator()", "shop::depth(int)"])
    #expect(lambda.first?.line == 23)
  }

  @Test func coldPartsBelongToTheirFunction() throws {
    let scratch = try Scratch()
    let path = try build(scratch, ["-g", "-O2"])
    let cold = try address(of: "_ZN4shop3sumEPKNS_4ItemEi.cold", in: path)
    #expect(Symbolized(path, [cold]).frames(0).last?.name == "shop::sum(shop::Item const*, int)")
    try run(["strip", "--strip-debug", path])
    #expect(
      Symbolized(path, [cold]).frames(0).last?.name
        == "shop::sum(shop::Item const*, int) [clone .cold]")
  }

  @Test func assemblyHasLinesAndItsSymbol() throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      ".globl main\n.type main, @function\n.text\nmain:\n xorl %eax, %eax\n ret\n"
        + ".size main, .-main\n", "a.s")
    try run(["gcc", "-g", file, "-o", scratch("a")])
    let start = try address(of: "main", in: scratch("a"))
    #expect(
      Symbolized(scratch("a"), [start, start + 2]).texts == [
        ["main \(file):5"], ["main \(file):6"],
      ]
    )
  }

  // MARK: - Without debug information

  @Test func symbolTableNamesFunctions() throws {
    let scratch = try Scratch()
    let path = try build(scratch, ["-O2"])
    let start = try address(of: "_ZN4shop5depthEi", in: path)
    let symbolized = Symbolized(path, [start, start + 1])
    #expect(symbolized.texts == [["_ZN4shop5depthEi ??:0"], ["_ZN4shop5depthEi ??:0"]])
    #expect(symbolized.frames(0).map(\.name) == ["shop::depth(int)"])
    #expect(symbolized.frames(0).first?.module == path)
  }

  @Test func strippedFunctionsAreNamedByTheirStart() throws {
    let scratch = try Scratch()
    let path = try build(scratch, ["-O2"])
    let start = try address(of: "_ZN4shop5depthEi", in: path)
    try run(["strip", path])
    let symbolized = Symbolized(path, [start, start + 1, start + 5])
    let name = "shop+0x" + String(start, radix: 16)
    #expect(Set(symbolized.texts) == [["\(name) ??:0"]])
    // The three addresses are one function.
    #expect(symbolized.profile.functions.count == 1)
  }

  @Test func codeWithoutUnwindEntryStaysAnAddress() throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      ".globl main\n.text\nmain: xorl %eax, %eax\n ret\n .fill 64, 1, 0x90\n", "a.s")
    try run(["gcc", file, "-o", scratch("a")])
    let start = try address(of: "main", in: scratch("a"))
    try run(["strip", scratch("a")])
    let symbolized = Symbolized(scratch("a"), [start])
    #expect(symbolized.texts == [[]])
    #expect(symbolized.frames(0).map(\.name) == ["a+0x" + String(start, radix: 16)])
  }

  @Test func linkageStubsAreNamed() throws {
    let scratch = try Scratch()
    let path = try build(scratch, ["-O2"])
    let label = try #require(
      try run(["objdump", "-d", "-j", ".plt", "-j", ".plt.sec", path]).split(separator: "\n")
        .first { $0.contains("<rand@plt>:") })
    let start = try #require(UInt64(label.prefix(16), radix: 16))
    #expect(Symbolized(path, [start + 6]).frames(0).map(\.name) == ["rand@plt"])
  }

  @Test func kernelCodeIsNamedFromTheVDSO() throws {
    let file = try #require(FileHandle(forReadingAtPath: "/proc/self/maps"))
    let maps = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
    let line = try #require(maps.split(separator: "\n").first { $0.hasSuffix("[vdso]") })
    let bounds = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
    let memory = UnsafeRawBufferPointer(
      start: UnsafeRawPointer(bitPattern: bounds[0]), count: Int(bounds[1] - bounds[0]))
    let image = try ElfImage(memory: memory, name: "vdso")
    let clock = try #require(image.symbols.first { $0.name == "__vdso_clock_gettime" })
    let start = clock.address.rawValue
    let named = Symbolized("[vdso]", [start], kind: .vdso, buildID: image.buildID)
    #expect(named.problems.isEmpty)
    #expect(["__vdso_clock_gettime", "clock_gettime"].contains(named.frames(0).first?.name))
    let other = Symbolized("[vdso]", [start], kind: .vdso, buildID: BuildID([1, 2, 3]))
    #expect(other.texts == [[]])
    #expect(other.problems.count == 1)
  }

  // MARK: - Other languages

  @Test(.enabled(if: (try? run(["rustc", "--version"])) != nil, "needs rustc"))
  func rustNamesAreReadable() throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      """
      mod oven { pub struct Bread(pub u64);
        pub trait Bake { fn bake(&self, n: u64) -> u64; }
        impl Bake for Bread {
          #[inline(never)]
          fn bake(&self, n: u64) -> u64 { (0..n).map(|x| x ^ self.0).fold(0, u64::wrapping_add) }
        } }
      use oven::Bake;
      fn main() { std::process::exit(oven::Bread(7).bake(std::env::args().count() as u64) as i32) }
      """, "oven.rs")
    for mangling in ["legacy", "v0"] {
      let flags = mangling == "legacy" ? ["-Zunstable-options"] : []
      try run(
        ["env", "RUSTC_BOOTSTRAP=1", "rustc", "-g", "-O", "-Csymbol-mangling-version=" + mangling]
          + flags + [file, "-o", scratch("oven")])
      let symbol = try #require(
        try run(["nm", scratch("oven")]).split(separator: "\n").first {
          $0.contains("4bake") && $0.contains("Bread")
        })
      let start = try #require(UInt64(symbol.prefix(16), radix: 16))
      let frame = try #require(Symbolized(scratch("oven"), [start]).frames(0).last)
      #expect(frame.name == "<oven::oven::Bread as oven::oven::Bake>::bake")
      #expect(frame.file == file)
    }
  }

  @Test func swiftNamesAreReadable() throws {
    let scratch = try Scratch()
    let file = try scratch.write(
      """
      struct Bread {
        var weight: Int
        @inline(never) func bake(minutes: Int) -> Int { (0..<minutes).reduce(weight) { $0 ^ $1 } }
      }
      print(Bread(weight: CommandLine.arguments.count).bake(minutes: 12))
      """, "oven.swift")
    try run(["swiftc", "-g", "-O", file, "-o", scratch("oven")])
    let symbol = try #require(
      try run(["nm", scratch("oven")]).split(separator: "\n").first {
        $0.contains("4bake7minutes") && $0.contains(" t ")
      })
    let start = try #require(UInt64(symbol.prefix(16), radix: 16))
    let frame = try #require(Symbolized(scratch("oven"), [start]).frames(0).last)
    #expect(frame.name.hasSuffix("Bread.bake(minutes:)"))
    #expect(frame.file == file)
  }

  // MARK: - The profile

  @Test func otherLocationsAreLeftAlone() throws {
    var builder = ProfileBuilder()
    builder.add(["main", "work"], weight: 1)
    let anonymous = builder.profile.mappings.intern(
      Mapping(
        kind: .anonymous, path: builder.profile.strings.intern("[anonymous]"), buildID: nil,
        start: FileAddress(0), end: FileAddress(0x1000), offset: FileOffset(0)))
    let places: [Location.Place] = [
      .code(anonymous, FileAddress(0x10)), .unmapped(RuntimeAddress(0x20)),
      .marker(.stackCapped),
    ]
    let ids = places.map { builder.profile.locations.intern($0) }
    let functions = builder.profile.functions.count
    #expect(Symbolizer().symbolize(&builder.profile).isEmpty)
    #expect(ids.allSatisfy { builder.profile.locations[$0].lines.isEmpty })
    #expect(builder.profile.functions.count == functions)
  }

  @Test func symbolizingTwiceChangesNothing() throws {
    let scratch = try Scratch()
    let path = try build(scratch, ["-g", "-O2"])
    let addresses = try instructions(path)
    var first = Symbolized(path, addresses).profile
    let second = Symbolized(path, addresses).profile
    #expect(first.functions.rows == second.functions.rows)
    #expect(first.strings.rows == second.strings.rows)
    try FileManager.default.removeItem(atPath: path)
    // Lines that are there are not looked up again, so the missing file is no problem.
    let unresolved = first.locations.ids.filter { first.locations[$0].lines.isEmpty }
    let problems = Symbolizer(debugFolders: []).symbolize(&first)
    #expect(problems.isEmpty == unresolved.isEmpty)
    #expect(first.functions.rows == second.functions.rows)
  }
}
