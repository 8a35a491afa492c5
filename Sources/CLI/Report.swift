import ArgumentParser
import Foundation
import ProfileModel
import Reporting

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the top functions of a profile, its heap, and what was lost.",
    discussion: """
      Examples:
        qprof report --tree --top 30
        qprof report --metric leaked
        qprof report --diff base.qprof --fail-if 'leaked>0' --fail-if 'allocs>+2%'
      """)

  enum Order: String, ExpressibleByArgument, CaseIterable {
    case `self`
    case cumulative
  }

  @OptionGroup var input: InputArgument

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("Write a page for a browser to this file instead.", valueName: "file.html"),
    completion: .file(extensions: ["html"]))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Rows of each table at most; 15, or 5 in tables of which there are many.", valueName: "n"))
  var top: Int?

  @Option(help: "One table of functions, in this order, instead of one in each.")
  var sort: Order?

  @Flag(help: "Show the call tree.")
  var tree = false

  @Flag(help: "Show every thread.")
  var threads = false

  @Flag(help: "Write JSON, as docs/formats/report-json.md describes it.")
  var json = false

  @OptionGroup(title: "Heap Options") var heap: HeapReportOptions

  func validate() throws {
    if let top, top < 1 { throw ValidationError("--top must be at least 1, and is \(top).") }
    if let output, !output.hasSuffix(".html") {
      throw ValidationError("-o must end in .html, and is '\(output)'.")
    }
    guard output == nil || !json else {
      throw ValidationError("--json goes to standard output; leave out -o, or --json.")
    }
  }

  func run() throws {
    let (profile, source) = try input.read()
    let report = try heap.report(
      on: try heap.select(from: profile, source: source), source: source, options: options)
    if let output {
      try OutputFile.write(Data(HTMLReport(report).bytes), to: output)
    } else if json {
      try Terminal.write(try report.json())
    } else {
      try Terminal.write(Data(ReportText(report, style: Terminal.style).text.utf8))
    }
    try heap.judge(report, isShown: output == nil && !json)
  }

  private var options: Reporting.Report.Options {
    Reporting.Report.Options(
      top: top, order: sort.map { $0 == .self ? .flat : .cumulative }, showsTree: tree,
      showsThreads: threads, metric: heap.metric?.heap)
  }
}
