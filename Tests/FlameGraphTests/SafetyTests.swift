import FlameGraph
import Foundation
import ProfileModel
import TestSupport
import Testing

/// Names are data, whatever is in them (notes/flame.md, 5.2).
@Suite struct SafetyTests {
  private static let pieces = [
    "]]>", "</script>", "<script>alert(1)</script>", "<!--", "-->", "&", "&amp;", "&#0;",
    "<![CDATA[",
    "\"", "'", "\\", "\\u0000", "\u{0}", "\u{1}", "\u{8}", "\t", "\n", "\r\n", "\u{1b}[0m",
    "\u{7f}",
    "\u{85}", "\u{9f}", "\u{61c}", "\u{200e}", "\u{202a}", "\u{202e}", "\u{2028}", "\u{2066}",
    "\u{feff}", "\u{fffd}", "\u{fffe}", "\u{ffff}", "\u{1fffe}", "\u{10ffff}", "🙂", "👨‍👩‍👧", "e\u{301}",
    "漢", " ", ";", "a", "javascript:", "</title>", "</svg>", "%00", "{", "}",
    String(decoding: [0xff, 0xed, 0xa0, 0x80], as: UTF8.self),
  ]

  private func hostile(_ random: inout RepeatableRandom) -> String {
    (0..<Int.random(in: 1...6, using: &random)).map { _ in
      Bool.random(using: &random)
        ? Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
        : String(Unicode.Scalar(UInt8.random(in: 0...255, using: &random)))
    }.joined()
  }

  private func hostileProfile(_ random: inout RepeatableRandom) -> Profile {
    var builder = ProfileBuilder()
    for process in 0..<2 {
      let thread = builder.addThread(
        process: hostile(&random), pid: Int32(process), tid: 1, name: hostile(&random))
      for _ in 0..<10 {
        let stack = (0..<3).map { _ in
          (
            module: hostile(&random), name: hostile(&random), file: hostile(&random) as String?,
            line: Int32(3)
          )
        }
        builder.addCode(
          stack, weight: Int64(Int.random(in: 1...9, using: &random)), thread: thread)
      }
      // Too small to draw: these names go into the data block.
      builder.addCode([(hostile(&random), hostile(&random), nil, 0)], weight: 1, thread: thread)
      builder.addCode(
        [(hostile(&random), "large", nil, 0)], weight: 1_000_000, thread: thread)
    }
    var profile = builder.profile
    profile.provenance.command = [hostile(&random), hostile(&random)]
    profile.provenance.host = hostile(&random)
    profile.provenance.gitCommit = hostile(&random)
    profile.valueType = ValueType(kind: hostile(&random), unit: hostile(&random))
    profile.losses.add(.neverEntered, events: 1)
    profile.losses.processNames[.neverEntered] = [hostile(&random)]
    return profile
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func hostileNamesStayData(seed: UInt64) throws {
    var random = RepeatableRandom(seed: seed)
    let (base, current) = (hostileProfile(&random), hostileProfile(&random))
    var options = FlameGraphOptions()
    options.grouping = .thread
    if seed.isMultiple(of: 2) { options.title = hostile(&random) }
    if seed.isMultiple(of: 3) { options.subtitle = hostile(&random) }
    options.notes = [hostile(&random)]

    let plain = FlameGraph(current, options: options)
    let names = Set(plain.tree.frames.map { VisibleText.of($0.name) })
    let boxes = try checked(plain.svg(), seed: seed).boxes
    #expect(boxes.count > 4 && boxes.allSatisfy { $0.isMerged || names.contains($0.name) })
    _ = try checked(
      DifferentialFlameGraph(base: base, current: current, options: options).svg(), seed: seed)
  }

  /// The file parses, and holds nothing but what a picture of qprof is made of.
  private func checked(_ svg: String, seed: UInt64) throws -> ParsedSVG {
    let parsed = try ParsedSVG(svg)
    let known: Set<String> = [
      "svg", "title", "desc", "style", "defs", "pattern", "path", "rect", "text", "g", "script",
    ]
    for element in parsed.elements {
      #expect(known.contains(element.name), "seed \(seed)")
      #expect(!element.attributes.keys.contains { $0.hasPrefix("on") || $0.contains("href") })
    }
    let scripts = parsed.all("script")
    #expect(scripts.count == 2, "seed \(seed)")
    let data = try JSONSerialization.jsonObject(with: Data(scripts[0].text.utf8))
    #expect((data as? [String: Any])?["total"] is Int, "seed \(seed)")
    for scalar in svg.unicodeScalars {
      switch scalar.value {
      case 0x0a, 0x20...0x7e, 0xa0...0x61b, 0x61d...0x200d, 0x2010...0x2027, 0x202f...0x2065,
        0x206a...0xfefe, 0xff00...0xfffd, 0x10000...0x10ffff:
        continue
      default: Issue.record("U+\(String(scalar.value, radix: 16)) in the file, seed \(seed)")
      }
    }
    return parsed
  }

  @Test func nothingIsFetchedAndNothingEvaluated() throws {
    let svg = FlameGraph(profile("a;b 1")).svg()
    let namespaces = ["http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"]
    let rest = namespaces.reduce(svg) { $0.replacingOccurrences(of: $1, with: "") }
    #expect(rest != svg)
    for banned in [
      "http", "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval", "Function(",
      "prompt(", "setTimeout", "import(", "fetch(", "<!DOCTYPE", "@import", "@font-face", "onload",
      "javascript:",
    ] {
      #expect(!rest.contains(banned), "\(banned)")
    }
    let script = try ParsedSVG(svg).all("script")[1].text
    #expect(script.contains("(function () {\n  'use strict';"))
    #expect(script.utf8.count <= 12 * 1024)
  }

  @Test func whatMattersIsInAttributes() throws {
    let svg = FlameGraph(profile("a;b 1")).svg()
    let parsed = try ParsedSVG(svg)
    #expect(parsed.elements[0].attributes["font-size"] == "12")
    #expect(parsed.elements[0].attributes["width"] == "1200")
    #expect(parsed.elements[0].attributes["viewBox"] == "0 0 1200 167")
    #expect(parsed.all("text")[0].attributes["text-anchor"] == "middle")
    // The style sheet is about the mouse only.
    let rules = try #require(parsed.all("style").first).text.components(separatedBy: "}")
    #expect(rules.filter { !$0.isEmpty }.allSatisfy { $0.contains(":hover") })
    // Two pictures in one page may share an id only if it means the same in both.
    #expect(parsed.elements.compactMap { $0.attributes["id"] } == ["qprof-gone"])
  }
}
