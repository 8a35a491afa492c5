import Foundation
import ProfileModel

/// What a report shows and in which order, for text and HTML alike. Names are made visible, see
/// ``VisibleText``.
struct ReportContent {
  let report: Report
  init(_ report: Report) { self.report = report }

  var title: String {
    VisibleText.of(
      report.provenance.command.isEmpty ? report.source : report.provenance.commandLine)
  }

  /// Where the profile comes from.
  var facts: [ReportSection.Fact] {
    let facts: [ReportSection.Fact] = [
      .init("file", report.provenance.command.isEmpty ? "" : report.source),
      .init("recorded", recorded), .init("ran", ran),
      .init(report.sampleCount == nil ? "total" : "samples", showsSamples ? samples : ""),
      .init("stacks", stacks),
    ]
    return facts.filter { !$0.value.isEmpty }
      .map { .init($0.name, VisibleText.of($0.value)) }
  }

  var sections: [ReportSection] {
    let all = (showsSamples ? sampleSections : []) + heapSections
    return (all + [ReportSection("Notes", "", .notes(report.notes))]).filter { !$0.isEmpty }
  }

  /// A recording of the heap alone has no samples, and nothing to say of them.
  private var showsSamples: Bool {
    report.options.metric == nil && report.difference == nil && report.hasSamples
  }

  private var sampleSections: [ReportSection] {
    guard report.total.samples > 0 else { return [] }
    var sections = report.orders.map(functionTable)
    if report.options.showsTree { sections.append(CallTreeTable(report).section) }
    sections.append(processTable)
    if report.options.showsThreads { sections.append(threadTable) }
    return sections
  }

  // MARK: - Header

  private var recorded: String {
    let from = report.provenance
    var parts: [String] = []
    if (1...253_402_300_799).contains(from.startTime) {
      let date = Date(timeIntervalSince1970: from.startTime)
      parts.append(
        date.formatted(.iso8601.dateTimeSeparator(.space)).replacing("Z", with: " UTC"))
    }
    if let bench = from.bench { parts.append("bench \(bench)") }
    if let commit = from.gitCommit { parts.append("commit \(commit.prefix(12))") }
    if !from.host.isEmpty { parts.append("host \(from.host)") }
    if !from.kernel.isEmpty { parts.append("Linux \(from.kernel)") }
    if from.processors > 0 {
      parts.append("\(from.processors) CPU\(from.processors == 1 ? "" : "s")")
    }
    return parts.joined(separator: ", ")
  }

  private var ran: String {
    let from = report.provenance
    var parts: [String] = []
    if from.duration.rawValue > 0 { parts.append(Quantities.time(from.duration)) }
    if let cpu = from.cpuTime { parts.append("\(Quantities.time(cpu)) of CPU time") }
    if let peak = from.peakResidentBytes { parts.append("\(Quantities.size(peak)) at most") }
    switch from.exit {
    case .exited(let status): parts.append("exit status \(status)")
    case .signalled(let signal): parts.append("killed by signal \(signal)")
    case .leftRunning: parts.append("still running at the end")
    case nil: break
    }
    return parts.joined(separator: ", ")
  }

  private var samples: String {
    let from = report.provenance
    let weight = report.quantities.text(Double(report.total.weight))
    guard let count = report.sampleCount else { return weight }
    var text = Quantities.grouped(Double(count))
    if from.effectiveRate > 0 {
      text += " at \(rate(from.effectiveRate)) Hz"
      if rate(from.effectiveRate) != rate(from.requestedRate) {
        let reason = from.engine == "timer" ? "; the kernel's tick allows no more" : ""
        text += " (asked for \(rate(from.requestedRate))\(reason))"
      }
    }
    if report.quantities.secondsPerUnit != nil { text += ", \(weight)" }
    if let coverage = report.coverage { text += ": \(Self.percent(coverage)) of the CPU time" }
    return text
  }

  private var stacks: String {
    // Only qprof's own recordings mark every stack that is cut.
    let isRecording = report.provenance.requestedRate > 0
    guard report.total.samples > 0, isRecording || !report.completeness.byMarker.isEmpty else {
      return ""
    }
    let shares =
      [("complete", report.completeness.complete)]
      + FrameMarker.allCases.compactMap { marker in
        report.completeness.byMarker[marker].map { (marker.rawValue, $0) }
      } + [("unknown", report.completeness.withoutStack)]
    return shares.filter { !$0.1.isZero }
      .map { "\(Self.percent(report.share($0.1).value)) \($0.0)" }.joined(separator: ", ")
  }

  // MARK: - Numbers

  /// `24.7 %`, `<0.1 %`.
  static func percent(_ share: Double) -> String {
    share > 0 && share < 0.0005 ? "<0.1 %" : Quantities.decimal(100 * share, places: 1) + " %"
  }

  private func rate(_ hertz: Double) -> String {
    Quantities.decimal(hertz, places: hertz == hertz.rounded() ? 0 : 1)
  }
}
