import Markup
import Foundation
import FoundationXML
import ProfileModel
import TestSupport
import Testing

@testable import Reporting

@Suite struct HTMLReportTests {
  private func page(_ profile: Profile) -> String {
    String(decoding: HTMLReport(Report(profile, source: "server.qprof")).bytes, as: UTF8.self)
  }

  @Test func goldenPage() throws {
    let suppressions = try Suppressions("leak:make_pool", source: "x")
    let report = Report(
      HeapBuilder.example().built, source: "server.qprof", suppressions: suppressions)
    try golden(String(decoding: HTMLReport(report).bytes, as: UTF8.self), "heap.html")
  }

  /// The page is XML but for its first line and what HTML leaves open in its head.
  private func parsed(_ page: String) throws -> XMLChecker {
    let body = try #require(page.range(of: "<body>"))
    let text = page[body.lowerBound...].replacing("</html>", with: "")
    let checker = XMLChecker()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = checker
    #expect(parser.parse(), "\(String(describing: parser.parserError))")
    return checker
  }

  @Test func hostileNamesStayText() throws {
    let hostile = "</td><script>alert('x')</script>&<b \"\u{1b}[2J\u{202e}"
    var builder = HeapBuilder()
    builder.addProcess(hostile, pid: 1)
    builder.addProcess("other", pid: 2)
    builder.add(builder.stack([(hostile, "x"), (hostile + "2", hostile)]), allocated: (1, 8))
    builder.heap.processes[0].untracked = hostile
    builder.profile.provenance.command = [hostile]
    let page = page(builder.built)
    #expect(!page.contains("<script") && !page.contains("\u{1b}") && !page.contains("\u{202e}"))
    let content = try parsed(page)
    #expect(content.names.isDisjoint(with: ["script", "b"]))
    #expect(content.text.contains("</td><script>alert('x')</script>&<b \"\\x1b[2J\\u{202e}"))
  }

  @Test func pageNeedsNothingElse() throws {
    let page = page(HeapBuilder.example().built)
    for word in ["http:", "https:", "src=", "href=", "@import", "url("] {
      #expect(!page.contains(word), "\(word)")
    }
    #expect(try parsed(page).names.contains("svg"))
  }

  @Test func profilesWithoutHeapHavePagesToo() throws {
    let content = try parsed(page(.example()))
    #expect(content.text.contains("Functions by self time") && content.text.contains("keccak"))
    #expect(!content.text.contains("Memory over time"))
    #expect(try parsed(page(Profile())).text.contains("There are no samples"))
  }
}

@Suite struct TimelinePictureTests {
  private func picture(_ steps: [HeapTimeline.Step], width: Int64 = 1_000_000_000, peak: Int64 = 0)
    -> String?
  {
    var process = HeapProcess(process: ID(0))
    process.timeline.width = Nanoseconds(width)
    process.timeline.steps = steps
    process.peak = HeapAmount(count: 1, bytes: peak)
    process.peakTime = Nanoseconds(width / 2)
    guard let picture = TimelinePicture(process) else { return nil }
    var writer = MarkupWriter()
    picture.write(to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func nothingIsDrawnOfNothing() {
    #expect(picture([]) == nil)
    #expect(picture([.init(largest: 1, live: 1, resident: 1, allocations: 1)], width: 0) == nil)
  }

  /// Two steps of one second: 1 MiB, then 2 MiB. Ticks every 512 KiB, so 2 MiB is at the top.
  @Test func valuesAreWhereTheAxesSay() throws {
    let svg = try #require(
      picture(
        [
          .init(largest: 1 << 20, live: 1 << 20, resident: 0, allocations: 100),
          .init(largest: 2 << 20, live: 0, resident: 0, allocations: 400),
        ], peak: 2 << 20))
    for label in ["0 B", "512 KiB", "1 MiB", "1.5 MiB", "2 MiB", "0 s", "2 s", "200", "400"] {
      #expect(svg.contains(">\(label)</text>"), "\(label)")
    }
    // x from 78 to 966, y from 250 (nothing) to 34 (2 MiB).
    #expect(svg.contains(#"<polyline class="largest" points="78,142 522,142 522,34 966,34"/>"#))
    #expect(svg.contains(#"<polygon class="live" points="78,250 522,142 966,250 966,250"/>"#))
    // 100 of 400 a second are a quarter of 70.
    #expect(svg.contains(#"<rect class="rate" x="78" y="334.5" width="443.5" height="17.5"/>"#))
    #expect(svg.contains("peak 2.00 MiB at 500 ms"))
    #expect(!svg.contains("resident"))
  }

  @Test func absurdValuesStayInThePicture() throws {
    let steps = [
      HeapTimeline.Step(largest: .max, live: .min, resident: .max, allocations: .max),
      HeapTimeline.Step(largest: -5, live: 0, resident: -1, allocations: -1),
    ]
    for width in [1, 1_000, .max] as [Int64] {
      let svg = try #require(picture(steps, width: width, peak: .max))
      for match in svg.matches(of: /points="([^"]*)"/) {
        for pair in match.1.split(separator: " ") {
          let numbers = pair.split(separator: ",").compactMap { Double($0) }
          #expect(numbers.count == 2 && (0...1000).contains(numbers[0]), "\(pair)")
          #expect(numbers.count == 2 && (0...396).contains(numbers[1]), "\(pair)")
        }
      }
    }
  }
}

/// Names of elements, and all text.
private final class XMLChecker: NSObject, XMLParserDelegate {
  private(set) var names: Set<String> = []
  private(set) var text = ""

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes: [String: String]
  ) {
    names.insert(name)
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}
