import CUnwind
import Foundation
import TestSupport
import Testing
import UnwindProbe

/// The stack at every single instruction of code that nobody wrote for this test.
@Suite(.serialized) struct StepTests {
  /// Without arithmetic on big numbers: glibc's assembly for it moves rsp and does not say so.
  private static let program = """
    #include <locale.h>
    #include <regex.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    static int compare(const void *a, const void *b) { return strcmp(a, b); }
    void body(void) {
      char words[6][16] = {"to", "be", "or", "not", "to", "be"}, text[200];
      qsort(words, 6, 16, compare);
      snprintf(text, sizeof text, "%s %d %#llx", words[0], 42, 1ULL << 40);
      regex_t pattern;
      regcomp(&pattern, "b(e|or)+ ?[0-9]*", REG_EXTENDED);
      int found = regexec(&pattern, text, 0, 0, 0);
      regfree(&pattern);
      char *copy = malloc(4000);
      memset(copy, 'x', 4000);
      copy = realloc(copy, 9000);
      memmove(copy + 100, copy, 3000);
      snprintf(text, sizeof text, "%s %ld %p", strstr(copy, "xx"), strtol("77", 0, 0), (void *)copy);
      free(copy);
      setenv("QPROF_STEPS", getenv("PATH") ? "1" : "0", found);
    }
    """

  @Test func bothWalksAgreeAtEveryInstruction() throws {
    let folder = try Scratch()
    let source = try folder.write(Self.program, "steps.c")
    // Lazily bound, so that calls go through every kind of linkage stub.
    try run([
      "gcc", "-O2", "-w", "-shared", "-fPIC", "-Wl,-z,lazy", source, "-o", folder("steps.so"),
    ])
    let object = try Plugin.open(folder("steps.so"))
    defer { probe_close(object) }
    let linkage = try linkageSection(of: folder("steps.so"), loadedAs: object)
    let cache = try #require(probe_make_cache(16384))
    defer { probe_free_cache(cache) }
    var steps = probe_steps()
    probe_every_step(object, "body", linkage.lowerBound, linkage.upperBound, cache, &steps)
    defer { probe_free_walk(steps.walk) }
    #expect(steps.steps > 50_000)
    #expect(steps.in_linkage > 20)
    #expect(steps.different == 0, "\(steps.walk.pointee.comparison)")
    // The rest is within the loader's resolver, whose frame is found by rbx.
    #expect(steps.complete + steps.unsupported == steps.steps)
    #expect(steps.complete > 0)
    print("steps: \(steps.steps), complete \(steps.complete), in linkage \(steps.in_linkage)")
  }

  private func linkageSection(
    of path: String, loadedAs object: UnsafeMutableRawPointer
  ) throws -> Range<UInt64> {
    func address(_ text: String, before name: String) throws -> UInt64 {
      let line = try #require(text.split(separator: "\n").first { $0.hasSuffix(name) })
      return try #require(UInt64(line.prefix(16), radix: 16))
    }
    let bias =
      try Plugin.symbol("body", in: object) - address(run(["nm", path]), before: " T body")
    let sections = try run(["readelf", "-W", "-S", path]).split(separator: "\n")
    let words = try #require(sections.first { $0.contains("] .plt ") }).split(separator: " ")
    let name = try #require(words.firstIndex(of: ".plt"))
    let start = try #require(UInt64(words[name + 2], radix: 16))
    let size = try #require(UInt64(words[name + 4], radix: 16))
    return bias + start..<bias + start + size
  }
}
