import Symbols
import TestSupport
import Testing

@Suite struct DemanglerTests {
  private func demangle(_ names: [String]) -> [String] {
    var demangler = Demangler()
    return names.map { demangler.demangle($0) }
  }

  /// What a filter prints for each name.
  private func filtered(_ command: [String], _ names: [String]) throws -> [String] {
    try run(command, input: names.joined(separator: "\n") + "\n")
      .split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  @Test func cxxAgreesWithCxxfilt() throws {
    let listing = try run([
      "nm", "-D", "--without-symbol-versions", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6",
    ])
    let names = listing.split(separator: "\n").compactMap { $0.split(separator: " ").last }
      .map(String.init)
    #expect(names.count(where: { $0.hasPrefix("_Z") }) > 3000)
    let expected = try filtered(["c++filt", "-i"], names)
    #expect(demangle(names) == expected)
  }

  @Test(arguments: [
    ("_ZN4shop3sumEPKNS_4ItemEi.cold", "shop::sum(shop::Item const*, int) [clone .cold]"),
    ("_Z3fooi.part.0", "foo(int) [clone .part.0]"),
    ("_Z3fooi.isra.0.constprop.1", "foo(int) [clone .isra.0] [clone .constprop.1]"),
    ("_Z3fooi.llvm.1234567890", "foo(int)"),
    ("_Z3fooi@@V1", "foo(int)"),
    ("_Z3fooi@plt", "foo(int)@plt"),
    ("foo.cold", "foo.cold"), ("foo.llvm.123", "foo"), ("foo.llvm.xyz", "foo.llvm.xyz"),
    ("memcpy@@GLIBC_2.14", "memcpy"), ("memcpy@GLIBC_2.2.5", "memcpy"),
    ("main", "main"), ("", ""), ("_", "_"), ("_Z", "_Z"), ("_R", "_R"), ("$s", "$s"),
    ("_T", "_T"), ("_D", "_D"), ("_Zebra", "_Zebra"),
    ("_GLOBAL__I_x", "global constructors keyed to x"),
  ]) func suffixesAndPlainNames(name: String, expected: String) {
    #expect(demangle([name]) == [expected])
  }

  @Test(arguments: [
    // Older scheme, with its hash, and with characters spelled out.
    ("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE", "core::fmt::Write::write_fmt"),
    (
      "_ZN50_$LT$oven..Bread$u20$as$u20$core..clone..Clone$GT$5clone17h0123456789abcdefE",
      "<oven::Bread as core::clone::Clone>::clone"
    ),
    ("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE.llvm.42", "core::fmt::Write::write_fmt"),
    // Of the v0 scheme's specification (RFC 2603).
    ("_RNvNtNtCs1234_7mycrate3foo3bar3baz", "mycrate::foo::bar::baz"),
    ("_RINvNtC3std3mem8align_ofdE", "std::mem::align_of::<f64>"),
  ]) func rust(name: String, expected: String) {
    #expect(demangle([name]) == [expected])
  }

  @Test func swiftAgreesWithSwiftDemangle() throws {
    let library = try #require(
      try run(["swiftc", "-print-target-info"]).split(separator: "\"").first {
        $0.hasSuffix("/swift/linux")
      })
    let listing = try run(["nm", "-D", "--defined-only", library + "/libswift_Concurrency.so"])
    let names = listing.split(separator: "\n").compactMap { $0.split(separator: " ").last }
      .filter { $0.hasPrefix("$s") }.prefix(2000).map(String.init)
    #expect(names.count > 500)
    let expected = try filtered(["swift", "demangle", "--simplified", "--compact"], names)
    #expect(demangle(names) == expected)
    #expect(demangle(["$sSa6appendyyxnF", "_$sSa6appendyyxnF"]).first == "Array.append(_:)")
  }

  @Test func dlang() throws {
    let names = ["_Dmain", "_D4core6memory2GC4freeFNbPvZv", "_Dnothing"]
    #expect(demangle(names) == (try filtered(["c++filt", "-s", "dlang"], names)))
    #expect(demangle(names)[1] == "core.memory.GC.free(void*)")
  }

  // MARK: - Hostile names

  @Test func longNamesOfTemplatesAreRead() throws {
    // libiberty refuses names above 1,024 bytes unless told otherwise.
    let arguments = String(repeating: "St6vectorIiSaIiEE", count: 100)
    let name = "_Z1fI\(arguments)EvT_"
    #expect(name.utf8.count > 1024)
    #expect(
      demangle([name]).first?.hasPrefix("void f<std::vector<int, std::allocator<int> >") == true)
  }

  @Test func namesThatExplodeStayMangled() {
    // Each type holds the one before it twice: 40 levels would be 2^40 names.
    var name = "_Z1f1aIiiE"
    var previous = "S0_"
    for level in 1...8 {
      name +=
        "1\(Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(level))))I\(previous)\(previous)E"
      previous = "S\(String(2 * level, radix: 36, uppercase: true))_"
    }
    #expect(
      demangle([name]).first?.hasPrefix("f(a<int, int>, b<a<int, int>, a<int, int> >") == true)
    for level in 9...17 {
      name +=
        "1\(Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(level))))I\(previous)\(previous)E"
      previous = "S\(String(2 * level, radix: 36, uppercase: true))_"
    }
    #expect(demangle([name]) == [name])
  }

  @Test func deepAndHugeNamesDoNotCrash() {
    for (start, unit, end) in [
      ("_Z1f", "P", "i"), ("_Z1f", "1aI", ""), ("_ZN", "1a", "E"), ("_RIC1a", "R", "uE"),
      ("_RNv", "Nt", "C1a"), ("$s4main3fooyySi", "Sg", "F"), ("$s", "4main", "F"),
      ("_D1a1bF", "P", "iZv"), ("_T", "tT", ""), ("_Z1fIX", "ad", "E"),
    ] {
      for count in [100, 1_000, 5_000, 60_000, 100_000] {
        let name = start + String(repeating: unit, count: count) + end
        #expect(demangle([name]).first?.isEmpty == false)
        if name.utf8.count > Demangler.lengthLimit { #expect(demangle([name]) == [name]) }
      }
    }
  }

  @Test(arguments: [UInt64(11), 12, 13]) func randomNamesDoNotCrash(seed: UInt64) {
    print("seed \(seed)")
    var random = RepeatableRandom(seed: seed)
    let letters = Array("_ZNRSTIEDPKaiv0123456789$sSyxqzFfCtcdg.@A")
    let starts = ["_Z", "_ZN", "_R", "_D", "$s", "_T", "_ZSt", "_RNv", "@__swiftmacro_", ""]
    for _ in 0..<5_000 {
      let start = starts.randomElement(using: &random) ?? ""
      let rest = (0..<Int.random(in: 0...60, using: &random)).compactMap { _ in
        letters.randomElement(using: &random)
      }
      let name = start + String(rest)
      #expect(demangle([name]).count == 1)
    }
  }
}
