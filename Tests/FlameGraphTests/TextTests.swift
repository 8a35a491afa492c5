import FlameGraph
import Foundation
import ProfileModel
import TestSupport
import Testing

@Suite struct TextTests {
  @Test(arguments: [
    ("plain", "plain"), ("a\u{0}b", "a\\x00b"), ("\u{1b}[31m", "\\x1b[31m"),
    ("\n\r\t", "\\n\\r\\t"),
    ("\r\n", "\\r\\n"), ("\u{7f}\u{85}", "\\x7f\\x85"), ("\u{202e}cba", "\\u{202e}cba"),
    ("\u{2066}\u{2069}", "\\u{2066}\\u{2069}"), ("\u{ffff}\u{fffe}", "\\u{ffff}\\u{fffe}"),
    ("é ü \u{fffd} 漢 🙂", "é ü \u{fffd} 漢 🙂"),
  ])
  func controlCharactersAreWrittenOut(text: String, visible: String) {
    #expect(VisibleText.of(text) == visible)
  }

  @Test func labelsAreCutToTheirColumns() {
    #expect(LabelFit.label("abcdef", columns: 6) == "abcdef")
    #expect(LabelFit.label("abcdef", columns: 5) == "abcd…")
    #expect(LabelFit.label("abcdef", columns: 3) == "ab…")
    #expect(LabelFit.label("abcdef", columns: 2) == nil)
    #expect(LabelFit.label("ab", columns: 2) == nil)
    #expect(LabelFit.label("ab", columns: 3) == "ab")
    // 7 pixels of padding and 7.25 for each of three columns.
    #expect(LabelFit.columns(in: 28.74) == 2)
    #expect(LabelFit.columns(in: 28.76) == 3)
    #expect(LabelFit.columns(in: 0) == 0)
  }

  @Test func labelsAreCutBetweenCharacters() {
    let family = "👨‍👩‍👧‍👦"  // one character of seven scalars, two columns wide
    #expect(LabelFit.label("ab\(family)cd", columns: 5) == "ab\(family)…")
    #expect(LabelFit.label("ab\(family)cd", columns: 4) == "ab…")
    #expect(LabelFit.label("e\u{301}e\u{301}e\u{301}e\u{301}", columns: 3) == "e\u{301}e\u{301}…")
    #expect(LabelFit.label("漢字漢字", columns: 5) == "漢字…")
  }

  @Test(arguments: [
    ("a::B<c, d>::e(f) const", ["a::B<c, d>::e(f) const", "a::B::e", "e"]),
    ("<a::b as c::D<(u8,)>>::call", ["<a::b as c::D<(u8,)>>::call", "call"]),
    ("(anonymous namespace)::f(int)", ["(anonymous namespace)::f(int)", "f"]),
    ("f::{closure#0}", ["f::{closure#0}", "f::{closure#0}", "{closure#0}"]),
    ("M.f(x: (A) -> B) -> C", ["M.f(x: (A) -> B) -> C", "M.f"]),
    ("[truncated: stack capped]", ["[truncated: stack capped]"]),
    ("a::operator<(b)", ["a::operator<(b)"]),
    ("broken>name", ["broken>name"]), ("broken(name", ["broken(name"]), ("<>", ["<>"]),
    (
      "void a::(anonymous namespace)::f<6, 5>(b::c*)",
      [
        "void a::(anonymous namespace)::f<6, 5>(b::c*)", "a::f", "f",
      ]
    ),
    ("my_operator::f(int)", ["my_operator::f(int)", "my_operator::f", "f"]),
    ("operator new(unsigned long)", ["operator new(unsigned long)"]),
    ("a::f(int) [clone .cold]", ["a::f(int) [clone .cold]", "a::f", "f"]),
    ("a::(b)::(c)::d", ["a::(b)::(c)::d", "a::d", "d"]), ("a::<>", ["a::<>"]),
    ("plain", ["plain", "plain"]),
  ])
  func longNamesHaveShorterForms(name: String, forms: [String]) {
    #expect(LabelFit.forms(of: name) == forms)
  }

  @Test func quantities() {
    var timed = Profile()
    timed.period = .cpu(Nanoseconds(4_000_000))
    let time = Quantities(timed)
    #expect(time.text(3) == "12.0 ms")
    #expect(time.text(307) == "1.23 s")
    #expect(time.text(100_000) == "400 s")
    #expect(time.text(0) == "0 ns")
    #expect(time.count(12_345) == "12,345 samples")

    let counted = Quantities(Profile())
    #expect(counted.text(1_234_567) == "1,234,567 samples")
    #expect(counted.count(3) == nil)

    var heap = Profile()
    heap.valueType = ValueType(kind: "inuse_space", unit: "bytes")
    #expect(Quantities(heap).text(1536) == "1.50 KiB")

    var pprof = Profile()
    pprof.valueType = ValueType(kind: "cpu", unit: "nanoseconds")
    pprof.period = .cpu(Nanoseconds(10_000_000))
    #expect(Quantities(pprof).text(20_000_000) == "20.0 ms")
  }

  @Test(arguments: [
    (0.0, 10.0, "0 %"), (10, 10, "100.0 %"), (1, 3, "33.3 %"), (0.4, 100, "0.40 %"),
    (0.999, 100, "1.0 %"), (0.0001, 100, "<0.01 %"), (1, 0, "0 %"),
  ])
  func percentages(part: Double, whole: Double, text: String) {
    #expect(Quantities.percent(part, of: whole) == text)
  }

  @Test func decimals() {
    #expect(Quantities.decimal(0.05, places: 2) == "0.05")
    #expect(Quantities.decimal(-1.25, places: 1) == "-1.3")
    #expect(Quantities.decimal(-0.001, places: 2) == "0.00")
    #expect(Quantities.decimal(.infinity, places: 2) == "∞")
    #expect(Quantities.decimal(.nan, places: 2) == "∞")
  }
}

@Suite struct PaletteTests {
  /// Contrast of black text on a fill, as WCAG 2.2 defines it.
  private func contrast(_ colour: Colour) -> Double {
    func linear(_ channel: UInt8) -> Double {
      let c = Double(channel) / 255
      return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4)
    }
    let luminance =
      0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue)
    return (luminance + 0.05) / 0.05
  }

  @Test func blackTextIsLegibleOnEveryFill() {
    var hues: Set<String> = []
    for module in 0..<400 {
      for name in 0..<20 {
        let frame = FlameFrame(
          kind: .code, name: "name\(name)", module: module == 0 ? "" : "/lib/m\(module).so")
        let fill = Palette.fill(of: frame)
        hues.insert(fill.hex)
        #expect(contrast(fill) >= 4.5, "\(fill.hex)")
        #expect(contrast(Palette.fill(of: frame, .memory)) >= 4.5, "\(frame)")
      }
    }
    #expect(hues.count > 2000)
    for step in -20...20 { #expect(contrast(Palette.change(Double(step) / 10)) >= 4.5) }
    for fill in [Palette.grey, Palette.ground] { #expect(contrast(fill) >= 4.5) }
  }

  @Test func coloursDependOnNamesOnly() {
    func frame(_ module: String) -> FlameFrame {
      FlameFrame(kind: .code, name: "f", module: module)
    }
    #expect(Palette.fill(of: frame("/usr/lib/a.so")) == Palette.fill(of: frame("/opt/a.so")))
    #expect(Palette.fill(of: frame("/usr/lib/a.so")) != Palette.fill(of: frame("/usr/lib/b.so")))
  }

  @Test func convertsOklchToSRGB() {
    // Reference points of the space: white, black, and sRGB red.
    #expect(Colour(lightness: 1, chroma: 0, hue: 0).hex == "#ffffff")
    #expect(Colour(lightness: 0, chroma: 0, hue: 0).hex == "#000000")
    #expect(Colour(lightness: 0.627_955, chroma: 0.257_683, hue: 29.2339).hex == "#ff0000")
  }
}
