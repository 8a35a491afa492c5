import ProfileModel
import Testing

@testable import Reporting

@Suite struct SuppressionTests {
  /// Pattern, text, and whether LeakSanitizer's documentation of the format says that they match.
  private static let cases: [(String, String, Bool)] = [
    ("foo", "foo", true), ("foo", "afoob", true), ("foo", "fo", false), ("foo", "Foo", false),
    ("^foo", "foobar", true), ("^foo", "afoo", false), ("foo$", "barfoo", true),
    ("foo$", "foob", false), ("^foo$", "foo", true), ("^foo$", "foofoo", false),
    ("f*o", "f--o", true), ("f*o", "fo", true), ("f*o", "of", false),
    ("^a*b*c$", "a1b2c", true), ("^a*b*c$", "abcc", true), ("^a*b*c$", "acb", false),
    // The end must be found at the end, not where the part comes first.
    ("ab$", "abxab", true), ("a*ab$", "ab", false), ("a*ab$", "aab", true),
    ("^ab*ab$", "ab", false), ("^ab*ab$", "abab", true),
    ("*foo*", "xfoox", true), ("std::*::operator", "std::vector<int>::operator=", true),
    ("^*foo", "xfoo", true), ("foo*$", "foobar", true), ("é", "café", true), ("^", "x", true),
  ]

  @Test(arguments: cases) func matches(_ pattern: String, _ text: String, _ expected: Bool) {
    #expect(SuppressionPattern(pattern).matches(text) == expected)
  }

  @Test func readsLines() throws {
    let text = "# known\n\n  leak:libfoo.so \r\nleak: ^main$\n#leak:no\nleak:a:b\n"
    let rules = try Suppressions(text, source: "x").rules
    #expect(rules.map(\.pattern.text) == ["libfoo.so", "^main$", "a:b"])
  }

  @Test(arguments: [
    ("leak:a\nlibfoo.so\n", ReportingError.SuppressionProblem.noType(line: 2, text: "libfoo.so")),
    ("\n\nrace:foo", .otherType(line: 3, type: "race")),
    ("leak:", .matchesAll(line: 1, text: "")), ("leak:^*$", .matchesAll(line: 1, text: "^*$")),
    (
      String(repeating: "#", count: 1_048_577), .tooLarge(bytes: 1_048_577, limit: 1_048_576)
    ),
  ])
  func saysWhichLineIsWrong(_ text: String, _ problem: ReportingError.SuppressionProblem) {
    #expect(throws: ReportingError.suppressions("my.supp", problem)) {
      try Suppressions(text, source: "my.supp")
    }
  }

  /// Leaks of three sites; each kind of name suppresses its own.
  private func leaks(with text: String) throws -> [String: Int64] {
    var builder = HeapBuilder()
    builder.addProcess("server", pid: 1)
    let sites = [
      builder.stack(["main@main.c:1", "open_db@db.c:9", "malloc_raw"]),
      builder.stack(["main@main.c:2", "cache@cache.c:3"]),
      builder.stack(["start", "init"], module: "libfoo.so.1"),
    ]
    for (number, stack) in sites.enumerated() {
      builder.add(stack, allocated: (1, 1 << number), freed: (0, 0))
    }
    let report = HeapReport(builder.built, suppressions: try Suppressions(text, source: "x"))
    let heap = try #require(report)
    #expect(heap.live.bytes == 7)
    #expect(heap.total(.leaked) == 7 - heap.suppressed.bytes)
    #expect(
      heap.sites(by: .leaked).reduce(0) { $0 + $1.amounts.value(.leaked) } == heap.total(.leaked))
    return Dictionary(
      uniqueKeysWithValues: heap.usedSuppressions.map { ($0.rule.pattern.text, $0.amount.bytes) })
  }

  @Test func matchesFunctionsFilesAndModulesOfAnyFrame() throws {
    #expect(try leaks(with: "leak:^open_db$") == ["^open_db$": 1])
    #expect(try leaks(with: "leak:/src/cache.c") == ["/src/cache.c": 2])
    #expect(try leaks(with: "leak:libfoo.so") == ["libfoo.so": 4])
    #expect(try leaks(with: "leak:^main$") == ["^main$": 3])
    #expect(try leaks(with: "leak:nothing") == [:])
    // The first rule takes all it matches.
    #expect(try leaks(with: "leak:main\nleak:open_db") == ["main": 3])
    #expect(try leaks(with: "leak:open_db\nleak:main") == ["open_db": 1, "main": 2])
  }

  @Test func builtInRulesAreNarrow() throws {
    var builder = HeapBuilder()
    builder.addProcess("server", pid: 1)
    let loader = "/ld-linux-x86-64.so.2"
    func leak(_ frames: [(String, String)], _ bytes: Int64) {
      builder.add(builder.stack(frames), allocated: (1, bytes))
    }
    // The pool of libstdc++; a constructor of the program; a thread of the program, whose first
    // function is in libstdc++; a library loaded while the program runs, and what it leaks itself.
    leak(
      [("_dl_init", loader), ("call_init", loader), ("libstdc++.so.6+0x1", "libstdc++.so.6.0.30")],
      1)
    leak([("call_init", loader), ("setUp", "libmine.so")], 2)
    leak(
      [
        ("start_thread", "libc.so.6"), ("libstdc++.so.6+0x2", "libstdc++.so.6.0.30"), ("work", "a"),
      ], 4)
    leak(
      [
        ("main", "a"), ("dlopen", "libc.so.6"), ("_dl_map_object", loader),
        ("_dl_new_object", loader),
      ], 8)
    leak(
      [("main", "a"), ("dlopen", "libc.so.6"), ("_dl_init", loader), ("plugin", "libplugin.so")], 16
    )
    leak([("main", "a"), ("fwrite", "libc.so.6"), ("__GI__IO_file_doallocate", "libc.so.6")], 32)
    leak([("main", "a"), ("strdup", "libc.so.6")], 64)
    let heap = try #require(HeapReport(builder.built, suppressions: .builtIn))
    #expect(heap.suppressed.bytes == 1 + 8 + 32)
    #expect(
      heap.usedSuppressions.map(\.rule.text) == [
        "leak:_IO_file_doallocate", "leak:^_dl_new_object", "constructors of libstdc++.so.",
      ])
    #expect(heap.usedSuppressions.allSatisfy { $0.rule.reason != nil })
  }
}
