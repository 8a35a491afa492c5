import Foundation

/// Opens an SVG file in headless Chromium and asks it questions.
struct Browser {
  enum Failure: Error, CustomStringConvertible {
    case notInstalled
    case noAnswer(status: Int32, page: String)

    var description: String {
      switch self {
      case .notInstalled:
        "Chromium is not in /usr/bin: install the Debian package chromium to run this test."
      case .noAnswer(let status, let page):
        "Chromium ended with status \(status) and no answer of the page, which begins: "
          + page.prefix(300)
      }
    }
  }

  /// Runs `script` in the page of `svg` after the picture's own script, and returns what it gave
  /// to `answer(…)`, by way of JSON.
  ///
  /// The script also has `click(frame)`, `type(term)`, `key(name)` and `state()`: the visible
  /// boxes as `[name, label, x, width, fill, opacity]`, and the status line.
  static func ask<Answer: Decodable>(
    _ svg: String, fragment: String = "", width: Int = 1200, _ script: String,
    as type: Answer.Type = Answer.self
  ) throws -> Answer {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("qprof-browser-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("page.svg")
    let driver = "<script>//<![CDATA[\n\(helpers)\n\(script)\n//]]></script></svg>"
    let page = svg.replacingOccurrences(of: "</svg>\n", with: "\(driver)\n", options: .backwards)
    guard let tail = svg.range(of: "</svg>\n", options: .backwards) else {
      throw Failure.noAnswer(status: -1, page: page)
    }
    try Data((svg[..<tail.lowerBound] + driver).utf8).write(to: file)

    let (status, output) = try run(
      [
        "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--force-device-scale-factor=1", "--window-size=\(width),900",
        "--user-data-dir=\(folder.path)/profile", "--virtual-time-budget=5000", "--dump-dom",
        file.absoluteString + fragment,
      ])
    let marked = output.components(separatedBy: "qprof-answer=\"")
    guard marked.count == 2, let end = marked[1].firstIndex(of: "\""),
      let json = String(marked[1][..<end]).removingPercentEncoding
    else { throw Failure.noAnswer(status: status, page: output) }
    return try JSONDecoder().decode(Answer.self, from: Data(json.utf8))
  }

  private static func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
    guard FileManager.default.isExecutableFile(atPath: "/usr/bin/chromium") else {
      throw Failure.notInstalled
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    process.arguments = ["120", "/usr/bin/chromium"] + arguments
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: text, as: UTF8.self))
  }

  private static let helpers = """
    function answer(value) {
      document.documentElement.setAttribute('qprof-answer',
        encodeURIComponent(JSON.stringify(value)));
    }
    function frame(name) {
      return Array.from(document.querySelectorAll('.qprof-frames > g')).find(function (g) {
        return g.querySelector('title').textContent.split('\\n')[0] === name;
      });
    }
    function click(target) {
      target.querySelector('rect').dispatchEvent(new MouseEvent('click', { bubbles: true }));
    }
    function type(term) {
      var input = document.querySelector('foreignObject').firstChild;
      input.value = term;
      input.dispatchEvent(new Event('input'));
    }
    function key(name) {
      var input = document.querySelector('foreignObject').firstChild;
      input.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true }));
    }
    function state() {
      var frames = Array.from(document.querySelectorAll('.qprof-frames > g'));
      return {
        boxes: frames.filter(function (g) { return g.getAttribute('display') !== 'none'; })
          .map(function (g) {
            var rect = g.querySelector('rect'), text = g.querySelector('text');
            return {
              name: g.querySelector('title').textContent.split('\\n')[0],
              label: text ? text.textContent : '', x: Number(rect.getAttribute('x')),
              width: Number(rect.getAttribute('width')), fill: rect.getAttribute('fill'),
              opacity: Number(rect.getAttribute('fill-opacity'))
            };
          }),
        status: document.querySelector('.qprof-status').textContent,
        reset: document.querySelector('.qprof-reset').getAttribute('display') !== 'none',
        fragment: location.hash
      };
    }
    """
}

/// What a user sees.
struct PageState: Decodable {
  struct Box: Decodable, Equatable {
    var name: String
    var label: String
    var x: Double
    var width: Double
    var fill: String
    var opacity: Double
  }
  var boxes: [Box]
  var status: String
  var reset: Bool
  var fragment: String

  func box(_ name: String) -> Box? { boxes.first { $0.name == name } }
  func names(filled fill: String) -> [String] { boxes.filter { $0.fill == fill }.map(\.name) }
}
