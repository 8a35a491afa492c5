import FlameGraph
import Foundation
import ProfileModel
import TestSupport
import Testing

@Suite struct FlameGraphTests {
  /// A small recording with everything a picture can show.
  private func recording() -> Profile {
    var builder = ProfileBuilder()
    let start = (
      module: "/usr/bin/demo", name: "main", file: "src/main.c" as String?, line: Int32(12)
    )
    builder.addCode(
      [start, ("/usr/lib/libcrypto.so.3", "EVP_DigestUpdate", nil, 0)], weight: 150)
    builder.addCode(
      [
        start, ("/usr/bin/demo", "demo::Ring<unsigned char>::push(unsigned char const&)", nil, 0),
      ], weight: 200)
    builder.addCode([start], weight: 49)
    builder.add(.stackCapped, then: ["deep"], weight: 1)
    var profile = builder.profile
    profile.period = .cpu(Nanoseconds(4_000_000))
    profile.provenance.command = ["demo", "--size", "<4>", "two words"]
    profile.provenance.host = "bench-1"
    profile.provenance.toolVersion = "0.1"
    profile.provenance.startTime = 1_763_971_500
    profile.provenance.requestedRate = 1000
    profile.provenance.effectiveRate = 250
    profile.losses.add(.ringFull, events: 3, weight: 3)
    return profile
  }

  @Test func drawsARecording() throws {
    let svg = FlameGraph(recording()).svg()
    try golden(withoutScript(svg), "recording.svg")

    // By hand: 400 samples of 4 ms on 1180 pixels between the margins.
    let parsed = try ParsedSVG(svg)
    let main = try #require(parsed.box("main"))
    #expect(main.start == 1 && main.weight == 399)  // `[` sorts before `m`
    #expect(main.x == 2.95)
    #expect(
      main.tooltip == [
        "main", "/usr/bin/demo · src/main.c:12", "1.60 s (99.8 %), 399 samples",
        "self 196 ms (12.3 %), 49 samples",
      ])
    let digest = try #require(parsed.box("EVP_DigestUpdate"))
    #expect(digest.y == main.y - 17 && digest.weight == 150)
    #expect(parsed.boxes[0].y == main.y + 17, "the root is at the bottom")
    #expect(parsed.box("[truncated: stack capped]")?.fills == [Palette.grey.hex])
  }

  @Test func saysWhereItComesFromAndWhatIsMissing() throws {
    let svg = FlameGraph(recording()).svg()
    let texts = try ParsedSVG(svg).all("text").map(\.text)
    #expect(texts[0] == "demo · flame graph")
    #expect(
      texts[1] == "demo --size <4> 'two words' · 1.60 s · 4 samples · 250 Hz (asked for 1000)")
    #expect(texts[2] == "Incomplete: 3 samples lost (ring full); [truncated: stack capped] 0.25 %")
    #expect(texts[3] == "demo 62.3 %" && texts[4] == "libcrypto.so.3 37.5 %")
    #expect(
      try ParsedSVG(svg).all("desc")[0].text.components(separatedBy: "\n") == [
        "command: demo --size <4> 'two words'", "started: 2025-11-24 08:05:00 UTC",
        "rate: 250 Hz (asked for 1000)", "host: bench-1", "made by: qprof 0.1",
        "Incomplete: 3 samples lost (ring full); [truncated: stack capped] 0.25 %",
      ])
  }

  @Test func titleSubtitleAndNotesCanBeGiven() throws {
    var options = FlameGraphOptions()
    options.title = "T <1>"
    options.subtitle = "S & co"
    options.notes = ["first", "second -- with dashes"]
    let parsed = try ParsedSVG(FlameGraph(profile("a 1"), options: options).svg())
    #expect(parsed.all("title")[0].text == "T <1>")
    #expect(parsed.all("text").map(\.text).prefix(2) == ["T <1>", "S & co"])
    #expect(parsed.all("desc")[0].text == "first\nsecond -- with dashes")
  }

  @Test func headlinesAreCutAtTheBorderAndWholeInTheDescription() throws {
    var long = profile("a 1")
    long.provenance.command = ["demo"] + (0..<40).map { "--option=<\($0)>" }
    long.losses.add(.neverEntered, events: 1)
    long.losses.processNames[.neverEntered] = [String(repeating: "x", count: 300)]
    let parsed = try ParsedSVG(FlameGraph(long).svg())
    let texts = parsed.all("text").map(\.text)
    #expect(texts[1].hasPrefix("demo --option=<0> --option=<1>") && texts[1].count < 110)
    #expect(texts[1].hasSuffix("… · 1 sample"))
    #expect(texts[2].hasPrefix("Incomplete: 1 process seldom or never sampled: xxx"))
    #expect(texts[2].count == 164 && texts[2].hasSuffix("x…"))
    #expect(parsed.all("desc")[0].text.contains("--option=<39>"))
  }

  @Test func anIcicleHasItsRootAtTheTop() throws {
    var options = FlameGraphOptions()
    options.icicle = true
    let boxes = try ParsedSVG(FlameGraph(profile("a;b 1"), options: options).svg()).boxes
    #expect(boxes.map(\.y) == [62, 79, 96])
  }

  @Test func aProfileWithoutSamplesSaysSo() throws {
    let parsed = try ParsedSVG(FlameGraph(Profile()).svg())
    #expect(parsed.boxes.isEmpty)
    #expect(parsed.all("text").map(\.text).contains("There are no samples to draw."))
  }

  @Test func boxesWithoutRoomForThreeColumnsHaveNoLabel() throws {
    // 1180 pixels: 24.4 for the second, 28.9 for the third.
    let boxes = try ParsedSVG(FlameGraph(profile("a 9549", "function 207", "gunction 244")).svg())
      .boxes
    #expect(boxes.map(\.label) == ["all", "a", nil, "gu…"])
  }

  @Test func framesThatAreNotDrawnAreCountedAndFound() throws {
    // 1 of 100,000 is 0.01 pixels.
    let parsed = try ParsedSVG(
      FlameGraph(profile("a 99990", "b;c;d 4", "b;a 1", "e;a;a 2", "e 3")).svg())
    let merged = try #require(parsed.boxes.first { $0.isMerged })
    #expect(merged.weight == 10 && merged.start == 99_990)
    #expect(
      merged.tooltip == ["7 frames not drawn", "10 samples (0.01 %)", "· b", "· e"])
    let json = try #require(
      parsed.all("script").first { $0.attributes["type"] == "application/json" })
    let data = try #require(
      try JSONSerialization.jsonObject(with: Data(json.text.utf8)) as? [String: Any])
    #expect(data["total"] as? Int == 100_000)
    let hidden = try #require(data["hidden"] as? [[Any]])
    let weights = Dictionary(
      uniqueKeysWithValues: hidden.compactMap { entry in
        (entry[0] as? String).flatMap { name in (entry[1] as? Int).map { (name, $0) } }
      })
    // `a` inside `a` counts once.
    #expect(weights == ["a": 3, "b": 5, "c": 4, "d": 4, "e": 5])
  }

  /// The picture without what is the same in each: the script.
  private func withoutScript(_ svg: String) -> String {
    guard let start = svg.range(of: "<script>"), let end = svg.range(of: "</script>\n</svg>")
    else { return svg }
    return svg.replacingCharacters(in: start.lowerBound..<end.upperBound, with: "</svg>")
  }
}
