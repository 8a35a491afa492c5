import ArgumentParser
import Foundation
import ProfileModel
import Reporting

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print the top functions of a profile, and what was lost.",
    discussion: "Example: qprof report --tree --top 30")

  enum Order: String, ExpressibleByArgument, CaseIterable {
    case `self`
    case cumulative
  }

  @OptionGroup var input: InputArgument

  @Option(help: ArgumentHelp("Rows of each table at most.", valueName: "n"))
  var top = 15

  @Option(help: "One table of functions, in this order, instead of one in each.")
  var sort: Order?

  @Flag(help: "Show the call tree.")
  var tree = false

  @Flag(help: "Show every thread.")
  var threads = false

  @Flag(help: "Write JSON, as docs/formats/report-json.md describes it.")
  var json = false

  func validate() throws {
    guard top > 0 else { throw ValidationError("--top must be at least 1, and is \(top).") }
  }

  func run() throws {
    let (profile, source) = try input.read()
    var options = Reporting.Report.Options(top: top, showsTree: tree, showsThreads: threads)
    options.order = sort.map { $0 == .self ? .flat : .cumulative }
    let report = Reporting.Report(profile, source: source, options: options)
    try Terminal.write(
      json ? report.json() : Data(ReportText(report, style: Terminal.style).text.utf8))
  }
}
