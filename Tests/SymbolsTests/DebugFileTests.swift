import Elf
import Foundation
import ProfileModel
import Symbols
import TestSupport
import Testing

/// Separate debug files, in all the places they are looked for.
@Suite struct DebugFileTests {
  private let scratch: Scratch
  private let program: String
  private let address: UInt64
  private let buildID: BuildID

  /// A stripped program and, apart, its debug file.
  init() throws {
    scratch = try Scratch()
    program = scratch("bin/shop")
    let file = try scratch.write(source, "shop.cc")
    try FileManager.default.createDirectory(
      atPath: scratch("bin"), withIntermediateDirectories: true)
    try run(["g++", "-g", "-O2", file, "-o", program])
    address = try SymbolsTests.address(of: "_ZN4shop5depthEi", in: program)
    buildID = try #require(try ElfImage(MappedFile(path: program)).buildID)
    try run(["objcopy", "--only-keep-debug", program, scratch("shop.debug")])
  }

  private func strip(link: Bool = true) throws {
    try run(["strip", program])
    if link { try run(["objcopy", "--add-gnu-debuglink=" + scratch("shop.debug"), program]) }
  }

  private func put(_ path: String) throws {
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: scratch("shop.debug"), toPath: path)
  }

  private func symbolized(
    kind: Mapping.Kind = .file, buildID: BuildID? = nil
  ) -> Symbolized {
    Symbolized(
      program, [address], kind: kind, buildID: buildID, debugFolders: [scratch("debug")])
  }

  private var named: [[String]] {
    [["_ZN4shop5depthEi \(scratch("shop.cc")):22"]]
  }
  private var byStart: [[String]] { [["shop+0x\(String(address, radix: 16)) ??:0"]] }

  @Test func foundBesideTheFile() throws {
    try strip()
    #expect(symbolized().texts == byStart)
    try put(scratch("bin/shop.debug"))
    #expect(symbolized().texts == named)
  }

  @Test func foundInTheHiddenFolder() throws {
    try strip()
    try put(scratch("bin/.debug/shop.debug"))
    #expect(symbolized().texts == named)
  }

  @Test func foundUnderTheDebugFolder() throws {
    try strip()
    try put(scratch("debug") + scratch("bin/shop.debug"))
    #expect(symbolized().texts == named)
  }

  @Test func foundThroughASymbolicLink() throws {
    try strip()
    try put(scratch("debug") + scratch("bin/shop.debug"))
    try FileManager.default.createSymbolicLink(
      atPath: scratch("alias"), withDestinationPath: scratch("bin"))
    let linked = Symbolized(
      scratch("alias/shop"), [address], debugFolders: [scratch("debug")])
    #expect(linked.texts == named)
  }

  @Test func foundByBuildID() throws {
    try strip(link: false)
    let hex = buildID.hex
    try put(scratch("debug/.build-id/\(hex.prefix(2))/\(hex.dropFirst(2)).debug"))
    #expect(symbolized().texts == named)
    #expect(symbolized(buildID: buildID).texts == named)
  }

  @Test func functionHasOneNameWithAndWithoutDebugFile() throws {
    let file = try scratch.write(
      """
      int __price_internal(int x) { return x * x + 1; }
      extern int price(int) __attribute__((alias("__price_internal")));
      static __attribute__((noinline)) int hidden(int x) { return x / 3; }
      int use(int x) { return hidden(x) + price(x); }
      """, "price.c")
    try run(["gcc", "-g", "-O1", "-shared", "-fPIC", file, "-o", scratch("libprice.so")])
    let addresses = try ["__price_internal", "hidden"].map {
      try SymbolsTests.address(of: $0, in: scratch("libprice.so"))
    }
    func names() -> [String?] {
      let symbolized = Symbolized(scratch("libprice.so"), addresses, debugFolders: [])
      return [0, 1].map { symbolized.frames($0).first?.name }
    }
    #expect(names() == ["price", "hidden"])
    try run(["strip", "--strip-unneeded", scratch("libprice.so")])
    // What the library does not export is known by its start only.
    #expect(names() == ["price", "libprice.so+0x" + String(addresses[1], radix: 16)])
  }

  @Test func compressedDebugFileIsRead() throws {
    try strip()
    try run(["objcopy", "--compress-debug-sections", scratch("shop.debug")])
    try put(scratch("bin/shop.debug"))
    #expect(symbolized().texts == named)
  }

  @Test func checksumDecidesWithoutBuildID() throws {
    try run(["objcopy", "--remove-section=.note.gnu.build-id", program])
    try run(["objcopy", "--only-keep-debug", program, scratch("shop.debug")])
    try strip()
    try put(scratch("bin/shop.debug"))
    #expect(symbolized().texts == named)
    let file = URL(fileURLWithPath: scratch("bin/shop.debug"))
    var bytes = try Data(contentsOf: file)
    bytes.append(0)
    try bytes.write(to: file)
    let other = symbolized()
    #expect(other.texts == byStart)
    #expect(
      other.problems == [.foreignDebugFile(path: program, debugFile: scratch("bin/shop.debug"))])
  }

  @Test func debugFileOfAnotherBuildIsRefused() throws {
    try strip()
    try run(["g++", "-g", "-O1", scratch("shop.cc"), "-o", scratch("bin/shop.debug")])
    let other = symbolized()
    #expect(other.texts == byStart)
    #expect(
      other.problems == [.foreignDebugFile(path: program, debugFile: scratch("bin/shop.debug"))])
  }

  @Test func unreadableDebugFileIsNamed() throws {
    try strip()
    try scratch.write("no ELF", "bin/shop.debug")
    let path = scratch("bin/shop.debug")
    #expect(symbolized().problems == [.unreadableDebugFile(path: path, .notELF(path: path))])
  }

  // MARK: - Files that changed

  @Test func namesOfAReplacedFileAreNotUsed() throws {
    try run(["g++", "-g", "-O0", scratch("shop.cc"), "-o", program])
    let found = try ElfImage(MappedFile(path: program)).buildID
    let replaced = symbolized(buildID: buildID)
    #expect(replaced.texts == [[]])
    #expect(
      replaced.problems == [.replaced(path: program, recorded: buildID, found: found)])
    #expect(
      replaced.problems.first?.description.contains("was \(buildID.hex) and is now") == true)
  }

  @Test func debugFileStandsInForAReplacedFile() throws {
    try run(["g++", "-g", "-O0", scratch("shop.cc"), "-o", program])
    let hex = buildID.hex
    try put(scratch("debug/.build-id/\(hex.prefix(2))/\(hex.dropFirst(2)).debug"))
    let replaced = symbolized(buildID: buildID)
    #expect(replaced.texts == named)
    #expect(replaced.problems.isEmpty)
  }

  @Test func missingFileIsNamed() throws {
    try FileManager.default.removeItem(atPath: program)
    let missing = symbolized()
    #expect(missing.texts == [[]])
    #expect(
      missing.problems
        == [.unreadable(path: program, .cannotOpen(path: program, errno: ENOENT))])
  }

  @Test func deletedFileCountsOnlyWithItsBuildID() throws {
    #expect(symbolized(kind: .deleted, buildID: buildID).texts == named)
    let unknown = symbolized(kind: .deleted)
    #expect(unknown.texts == [[]])
    #expect(unknown.problems == [.deleted(path: program)])
  }

  // MARK: - Debug information shared by several files

  @Test(.enabled(if: (try? run(["dwz", "--version"])) != nil, "needs dwz"))
  func sharedPartsAreRead() throws {
    try FileManager.default.copyItem(atPath: program, toPath: scratch("bin/twin"))
    try run(["dwz", "-m", scratch("bin/common"), "-M", "common", program, scratch("bin/twin")])
    #expect(try ElfImage(MappedFile(path: program)).alternateLink?.path == "common")
    #expect(symbolized().texts == named)
    try FileManager.default.removeItem(atPath: scratch("bin/common"))
    #expect(
      symbolized().problems
        == [.missingAlternate(debugFile: program, alternate: scratch("bin/common"))])
  }
}
