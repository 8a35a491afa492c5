import ArgumentParser
import Foundation
import ProfileModel
import Reporting

/// What a report is asked about a heap.
struct HeapReportOptions: ParsableArguments {
  @Option(help: "Show one metric only.")
  var metric: MetricOption.Metric?

  @Option(
    help: ArgumentHelp("Show what changed in the heap since this recording.", valueName: "base"),
    completion: .file())
  var diff: String?

  @Option(
    help: ArgumentHelp(
      "Leaks to leave out, in LeakSanitizer's format: lines of leak:PATTERN. Can be repeated.",
      valueName: "file"), completion: .file())
  var suppressions: [String] = []

  @Flag(help: "Do not leave out the leaks that are known of common runtimes.")
  var noDefaultSuppressions = false

  @Option(
    help: ArgumentHelp(
      "Fail with exit code 1 if this holds, such as 'leaked>0' or, against --diff BASE, "
        + "'allocs>+2%'. Can be repeated.",
      discussion: """
        Metrics: allocs, bytes, peak, leaked, temporary. Comparisons: > >= < <= == !=. Numbers with \
        a sign are relative to the base. Units: %, B, KiB, MiB, GiB.
        """, valueName: "condition"))
  var failIf: [String] = []

  func validate() throws {
    do {
      for condition in try conditions() where condition.isRelative && diff == nil {
        throw condition.withoutBase
      }
    } catch let error as ReportingError {
      throw ValidationError("\(error)")
    }
    guard metric != .cpu || (diff == nil && failIf.isEmpty) else {
      throw ValidationError(
        "--diff and --fail-if are about the heap; compare CPU time with 'qprof flame --diff'.")
    }
  }

  private func conditions() throws(ReportingError) -> [GateCondition] {
    var conditions: [GateCondition] = []
    for text in failIf { conditions.append(try GateCondition(text)) }
    return conditions
  }

  /// The part of `profile` that the metric is about. Errors call it `source`.
  func select(from profile: Profile, source: String) throws(CLIError) -> Profile {
    guard let metric, profile.heapMetric != metric.heap || metric == .cpu else { return profile }
    guard metric != .cpu else {
      guard profile.heapMetric == nil, profile.heap == nil || !profile.samples.isEmpty else {
        throw .noCPUSamples(source: source)
      }
      return profile.cpuView
    }
    guard let heap = profile.heap else { throw .noHeap(metric: metric.rawValue, source: source) }
    guard heap.mode != .count else {
      throw .noHeapSites(metric: metric.rawValue, source: source)
    }
    return profile
  }

  /// The report on `profile`, compared and judged as asked.
  func report(on profile: Profile, source: String, options: Reporting.Report.Options) throws
    -> Reporting.Report
  {
    let suppressions = try expectedLeaks()
    var report = Reporting.Report(
      profile, source: source, options: options, suppressions: suppressions)
    if let diff {
      try report.compare(
        profile, with: try InputArgument.profile(at: diff), source: diff,
        suppressions: suppressions)
    }
    if !failIf.isEmpty { try report.check(try conditions()) }
    return report
  }

  private func expectedLeaks() throws -> Suppressions {
    var all = Suppressions()
    for path in suppressions {
      guard let data = FileManager.default.contents(atPath: path) else {
        throw CLIError.cannotRead(path: path)
      }
      all = all + (try Suppressions(String(decoding: data, as: UTF8.self), source: path))
    }
    return noDefaultSuppressions ? all : all + .builtIn
  }

  /// Ends the program with the code for what the conditions say. What did not pass goes to
  /// standard error too where the report itself went elsewhere.
  func judge(_ report: Reporting.Report, isShown: Bool) throws {
    guard let gate = report.gate, gate.verdict != .passed else { return }
    if !isShown { report.gateMessages.forEach(Terminal.complain) }
    throw ExitCode(gate.verdict == .failed ? ExitCodes.failed : ExitCodes.notMeasured)
  }
}
