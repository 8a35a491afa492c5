import Foundation
import ProfileModel

/// A report for people.
package struct ReportText {
  package struct Style: Sendable {
    /// Columns of the terminal; nil to cut nothing.
    package var width: Int?
    package var usesColor: Bool
    package init(width: Int? = nil, usesColor: Bool = false) {
      self.width = width
      self.usesColor = usesColor
    }

    func paint(_ text: String, _ look: TextTable.Look) -> String {
      guard usesColor, !text.isEmpty else { return text }
      switch look {
      case .plain: return text
      case .strong: return "\u{1b}[1m\(text)\u{1b}[0m"
      case .faint: return "\u{1b}[2m\(text)\u{1b}[0m"
      case .warning: return "\u{1b}[33m\(text)\u{1b}[0m"
      }
    }
  }

  let report: Report
  let style: Style
  package init(_ report: Report, style: Style = Style()) {
    self.report = report
    self.style = style
  }

  /// The whole report, ending in a line end. Names are made visible, see ``VisibleText``.
  package var text: String {
    var sections = [header]
    if report.total.samples > 0 {
      sections += report.orders.map(functionTable)
      if report.options.showsTree { sections.append(CallTreeText(report, style).lines) }
      sections += [processTable]
      if report.options.showsThreads { sections.append(threadTable) }
    }
    sections.append(notes)
    return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") + "\n" }
      .joined(separator: "\n")
  }

  // MARK: - Header

  private var header: [String] {
    let title = report.provenance.command.isEmpty ? report.source : report.provenance.commandLine
    let facts: [(String, String)] = [
      ("file", report.provenance.command.isEmpty ? "" : report.source),
      ("recorded", recorded), ("ran", ran),
      (report.sampleCount == nil ? "total" : "samples", samples), ("stacks", stacks),
    ]
    return [style.paint(cut(VisibleText.of(title)), .strong)]
      + facts.filter { !$0.1.isEmpty }.map { name, value in
        "  " + style.paint(TerminalText.pad(name, to: 9, onTheLeft: false), .faint) + " "
          + VisibleText.of(value)
      }
  }

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
    if let coverage = report.coverage { text += ": \(percent(coverage)) of the CPU time" }
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
      .map { "\(percent(report.share($0.1).value)) \($0.0)" }.joined(separator: ", ")
  }

  // MARK: - Notes

  private var notes: [String] {
    guard !report.notes.isEmpty else { return [] }
    return [style.paint("Notes", .strong)]
      + report.notes.flatMap { note in
        TerminalText.wrap(note, to: min(style.width ?? 100, 100) - 4).enumerated().map {
          ($0 == 0 ? "  " + style.paint("!", .warning) + " " : "    ") + $1
        }
      }
  }

  // MARK: - Numbers

  /// `24.7 %`, `<0.1 %`.
  func percent(_ share: Double) -> String {
    share > 0 && share < 0.0005 ? "<0.1 %" : Quantities.decimal(100 * share, places: 1) + " %"
  }

  private func rate(_ hertz: Double) -> String {
    Quantities.decimal(hertz, places: hertz == hertz.rounded() ? 0 : 1)
  }

  private func cut(_ line: String) -> String {
    style.width.map { TerminalText.cut(line, to: $0) } ?? line
  }
}
