import FlameGraph
import ProfileModel
import TestSupport
import Testing

/// The script of the picture, in a browser.
@Suite(.serialized) struct InteractionTests {
  private let matchFill = "#ff7df6"

  /// `main` 1000 = left 600 (shared 200, own 400) + right 400 (shared 100, own 300).
  private let svg = FlameGraph(
    profile("main;left;shared 200", "main;left 400", "main;right;shared 100", "main;right 300")
  ).svg()

  @Test func labelsAndPlacesOfTheScriptAreThoseOfTheFile() throws {
    var builder = ProfileBuilder()
    var random = RepeatableRandom(seed: 7)
    let names = [
      "crypto::ml_dsa::Matrix<std::array<int, 256>, 6>::multiply(std::span<int const>) const",
      "<alloc::vec::Vec<T,A> as core::ops::drop::Drop>::drop", "ML.sign(key: A) -> (B, C)",
      "std::operator<< <char>(int)", "漢字の関数名がとても長い場合", "🙂🙃🙂🙃 smile", "short",
      "broken(name<", "(anonymous namespace)::helper(int)", "f::{closure#0}", "e\u{1b}[31m",
      "__memmove_avx512_unaligned_erms", "[vdso]+0x1234567", "range_operator::fold(int)",
      "void mldsa::(anonymous namespace)::vector_ntt<5>(mldsa::vector<5>*)",
      "a::f(int) [clone .cold]",
      "non-virtual thunk to a::(b)::(c)::deeply(int)", "closure #1 in  ",
    ]
    for _ in 0..<300 {
      let depth = Int.random(in: 1...8, using: &random)
      let stack = (0..<depth).map { _ in names[Int.random(in: 0..<names.count, using: &random)] }
      builder.add(stack, weight: Int64.random(in: 1...50, using: &random))
    }
    let graph = FlameGraph(builder.profile)
    // The script hides what is narrower than 0.3 pixels.
    let drawn = try ParsedSVG(graph.svg()).boxes.filter {
      1180 * Double($0.weight) / Double(graph.layout.total) >= 0.3
    }
    let page: PageState = try Browser.ask(graph.svg(), "answer(state())")
    #expect(drawn.count > 300)
    #expect(page.boxes.map(\.name) == drawn.map(\.name))
    #expect(page.boxes.map(\.label) == drawn.map { $0.label ?? "" })
    let moved = zip(page.boxes, drawn).filter { box, file in
      abs(box.x - file.x) > 0.011 || abs(box.width - file.width) > 0.011
    }
    #expect(moved.isEmpty)
    #expect(!page.reset && page.status.isEmpty)
  }

  @Test func aClickZoomsAndEscapeLeadsBack() throws {
    let pages: [PageState] = try Browser.ask(
      svg,
      """
      var states = [state()];
      click(frame('right')); states.push(state());
      key('Escape'); states.push(state());
      click(frame('left')); click(document.querySelector('.qprof-reset')); states.push(state());
      answer(states);
      """)
    let zoomed = pages[1]
    #expect(zoomed.boxes.map(\.name) == ["all", "main", "right", "shared"])
    #expect(zoomed.boxes.map(\.opacity) == [0.45, 0.45, 1, 1])
    #expect(zoomed.boxes.map(\.x) == [0, 0, 0, 0])
    // 1180 pixels for the zoomed frame and those below it, a quarter for `shared`.
    #expect(zoomed.boxes.map(\.width) == [1179.4, 1179.4, 1179.4, 294.4])
    #expect(zoomed.reset && zoomed.fragment.hasPrefix("#z="))
    #expect(pages[0].boxes.count == 6 && !pages[0].reset)
    #expect(pages[2].boxes == pages[0].boxes && !pages[2].reset)
    #expect(pages[3].boxes == pages[0].boxes)
  }

  @Test func searchCountsEachStackOnceAndSaysWhenNothingMatches() throws {
    let pages: [PageState] = try Browser.ask(
      svg,
      """
      var states = [];
      ['SHARED', 'shared', 'left|shared', 'main|left', 'nothing', '(', '.', ''].forEach(
        function (term) { type(term); states.push(state()); });
      type('shared'); key('Escape'); states.push(state());
      answer(states);
      """)
    #expect(
      pages.map(\.status) == [
        "no match", "30.0 % of all", "70.0 % of all", "100.0 % of all", "no match",
        "no match (bad regex: taken literally)", "100.0 % of all", "", "",
      ])
    #expect(pages[1].names(filled: matchFill) == ["shared", "shared"])
    #expect(pages[2].names(filled: matchFill) == ["left", "shared", "shared"])
    #expect(pages[1].fragment == "#s=shared")
    #expect(pages[7].names(filled: matchFill).isEmpty && pages[8].names(filled: matchFill).isEmpty)
  }

  @Test func enterWalksTheMatches() throws {
    let pages: [PageState] = try Browser.ask(
      svg,
      """
      var states = [];
      type('shared');
      for (var i = 0; i < 3; i++) { key('Enter'); states.push(state()); }
      answer(states);
      """)
    #expect(
      pages.map(\.status) == ["1 of 2: shared", "2 of 2: shared", "1 of 2: shared"])
    #expect(pages.map { $0.boxes[2].name } == ["left", "right", "left"])
    #expect(pages[1].names(filled: "#ffd400") == ["shared"])
  }

  @Test func aLinkBringsBackZoomAndTerm() throws {
    let first: PageState = try Browser.ask(
      svg, "type('sh.red'); click(frame('right')); answer(state())")
    let again: PageState = try Browser.ask(svg, fragment: first.fragment, "answer(state())")
    #expect(first.fragment.contains("z=") && first.fragment.contains("s=sh.red"))
    #expect(again.boxes == first.boxes && again.status == "30.0 % of all")

    for fragment in ["#z=zzz&s=%ff", "#s=(", "#z=1&z", "#%"] {
      let page: PageState = try Browser.ask(svg, fragment: fragment, "answer(state())")
      #expect(page.boxes.count == 6, "\(fragment)")
    }
  }

  @Test func framesThatAreNotDrawnAreFoundExactlyOrAsARange() throws {
    // A weight of 4 is 0.47 pixels: `rare` is drawn once (10 %) and hidden 30 times, 20 of them
    // above `often`; `other` is hidden ten times. The truth about `rare` and `other` is 11.6 %,
    // about `often` and `rare` 99.6 %.
    var builder = ProfileBuilder()
    builder.add(["often"], weight: 8840)
    for number in 0..<20 { builder.add(["often", "part\(number)", "rare"], weight: 4) }
    builder.add(["rare"], weight: 1000)
    for number in 0..<10 {
      builder.add(["caller\(number)", "rare"], weight: 4)
      builder.add(["user\(number)", "other"], weight: 4)
    }
    let svg = FlameGraph(builder.profile).svg()
    let pages: [PageState] = try Browser.ask(
      svg,
      """
      var states = [];
      ['rare', 'other', 'rare|other', 'often|rare'].forEach(function (term) {
        type(term); states.push(state());
      });
      answer(states);
      """)
    #expect(
      pages.map(\.status) == [
        "11.2 % of all", "0.40 % of all", "10.0–11.6 % of all", "99.2–100.0 % of all",
      ])
  }

  @Test func hostileNamesRunNothing() throws {
    let svg = FlameGraph(
      profile("</script><script>window.hacked=1</script>;]]>&<img/onerror=hacked> 3")
    ).svg()
    struct Answer: Decodable {
      var hacked: Bool
      var boxes: Int
      var scripts: Int
    }
    let page: Answer = try Browser.ask(
      svg,
      """
      type('script'); click(frame(document.querySelectorAll('.qprof-frames title')[1].textContent
        .split('\\n')[0]));
      answer({ hacked: 'hacked' in window, boxes: state().boxes.length,
        scripts: document.querySelectorAll('script').length });
      """)
    #expect(!page.hacked && page.boxes == 3 && page.scripts == 3)
  }

  @Test func thePictureFollowsTheWindow() throws {
    let page: PageState = try Browser.ask(svg, width: 1800, "answer(state())")
    #expect(page.box("all")?.width == 1779.4)
    #expect(page.box("left")?.width == 1067.4)
  }

  @Test func theDifferenceZoomsToo() throws {
    let svg = DifferentialFlameGraph(
      base: profile("a;b 1000", "a;c 1000"), current: profile("a;b 3000")
    ).svg()
    let page: PageState = try Browser.ask(svg, "click(frame('c')); answer(state())")
    #expect(page.box("c")?.label == "− c")
    #expect(page.boxes.map(\.name) == ["all", "a", "c"])
  }

  @Test func aTallPictureOpensAtItsRoot() throws {
    var builder = ProfileBuilder()
    builder.add((0..<120).map { "f\($0)" }, weight: 1)
    var options = FlameGraphOptions()
    let script = "answer([scrollY, innerHeight, document.documentElement.height.baseVal.value])"
    let flame: [Double] = try Browser.ask(
      FlameGraph(builder.profile, options: options).svg(), script)
    #expect(flame[2] > 2000 && flame[0] == flame[2] - flame[1])
    options.icicle = true
    let icicle: [Double] = try Browser.ask(
      FlameGraph(builder.profile, options: options).svg(), script)
    #expect(icicle[0] == 0)
  }
}
