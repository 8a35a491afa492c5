import Glibc
import ProfileModel

/// The words of a picture that are about all of it. None is visible text yet.
struct Headlines: Sendable {
  var title: String
  var subtitle: String
  /// In place of a picture without boxes.
  var emptiness: String
  /// What the picture does not show, in one line; nil when nothing is known to be missing.
  var warning: String?
  /// Where the picture comes from, line by line.
  var description: [String]

  /// Columns of the command in the subtitle; the description has all of it.
  private static let longestCommand = 80

  init(
    _ profile: Profile, tree: FlameTree, quantities: Quantities, options: FlameGraphOptions
  ) {
    let source = profile.provenance
    let subject = HeapSubject(profile)?.title
    title = options.title ?? Self.title(source, kind: subject ?? "flame graph")
    subtitle = options.subtitle ?? Self.subtitle(profile, tree.nodes[0].total, quantities)
    emptiness = Self.emptiness(subject)
    warning = Self.losses(profile, tree.markerShares(tree.nodes.map { Double($0.total) }))
      .map { "Incomplete: " + $0 }
    description =
      Self.description(source) + (HeapSubject(profile)?.notes ?? [])
      + [warning].compactMap(\.self) + options.notes
  }

  /// For a differential.
  init(
    from base: Profile, to current: Profile, _ difference: FlameDifference,
    options: FlameGraphOptions
  ) {
    let (source, tree) = (current.provenance, difference.tree)
    let subject = HeapSubject(current)?.title
    title =
      options.title
      ?? Self.title(source, kind: "what changed" + (subject.map { " in " + $0 } ?? ""))
    subtitle = options.subtitle ?? Self.subtitle(from: base, to: current, difference)
    emptiness = Self.emptiness(subject)
    let sides = [
      ("before", Self.losses(base, tree.markerShares(difference.totalBefore))),
      ("now", Self.losses(current, tree.markerShares(tree.nodes.map { Double($0.total) }))),
    ]
    let warnings = sides.compactMap { side, losses in losses.map { "Incomplete \(side): \($0)" } }
    warning = warnings.isEmpty ? nil : warnings.joined(separator: "; ")
    description =
      Self.description(base.provenance).map { "before: " + $0 }
      + Self.description(source).map { "now: " + $0 } + warnings + options.notes
  }

  private static func emptiness(_ subject: String?) -> String {
    subject.map { "There is nothing to draw: no \($0)." } ?? "There are no samples to draw."
  }

  private static func title(_ source: Provenance, kind: String) -> String {
    let subject = source.bench ?? source.command.first.map(Profile.basename) ?? ""
    return subject.isEmpty ? kind.prefix(1).uppercased() + kind.dropFirst() : "\(subject) · \(kind)"
  }

  private static func subtitle(_ profile: Profile, _ total: Int64, _ quantities: Quantities)
    -> String
  {
    let source = profile.provenance
    // A recording has a row for each signal, which may weigh more than one.
    let samples = source.requestedRate > 0 ? Int64(profile.samples.count) : total
    var parts = [LabelFit.cut(command(source), columns: longestCommand)]
    let heap = HeapSubject(profile)
    parts.append(total > 0 ? quantities.text(Double(total)) : heap == nil ? "no samples" : "none")
    if total > 0 { parts.append(quantities.count(Double(samples)) ?? "") }
    parts.append(rate(source))
    parts += heap?.notes ?? []
    return parts.filter { !$0.isEmpty }.joined(separator: " · ")
  }

  private static func subtitle(
    from base: Profile, to current: Profile, _ difference: FlameDifference
  ) -> String {
    let total = (before: difference.before(0), after: difference.after(0))
    let unscaled = Quantities(current).text(total.before / difference.scale)
    var parts = [LabelFit.cut(command(current.provenance), columns: longestCommand)]
    parts.append("before \(unscaled) → now \(Quantities(current).text(total.after))")
    if Quantities.decimal(difference.scale, places: 2) != "1.00" {
      let factor = Quantities.decimal(difference.scale, places: 2)
      parts.append("before is scaled ×\(factor) to the same total")
    }
    if HeapSubject(current) != nil { parts.append("compared by amount") }
    return parts.filter { !$0.isEmpty }.joined(separator: " · ")
  }

  private static func command(_ source: Provenance) -> String {
    source.command.map { $0.contains(where: \.isWhitespace) ? "'\($0)'" : $0 }
      .joined(separator: " ")
  }

  /// `250 Hz`, with the rate that was asked for where the kernel allowed less.
  private static func rate(_ source: Provenance) -> String {
    guard source.effectiveRate > 0 else { return "" }
    let effective = Quantities.decimal(source.effectiveRate, places: 0)
    let capped = source.effectiveRate < 0.95 * source.requestedRate
    let asked = Quantities.decimal(source.requestedRate, places: 0)
    return effective + " Hz" + (capped ? " (asked for \(asked))" : "")
  }

  /// Losses by reason, and the share of the weight that is in markers.
  private static func losses(_ profile: Profile, _ markers: [(label: String, share: Double)])
    -> String?
  {
    let losses = profile.losses
    var parts = Losses.Reason.allCases.filter { losses[$0].events > 0 }.map { reason in
      let what = phrase(reason, count: losses[reason].events)
      let names = losses.processNames[reason, default: []].prefix(3).joined(separator: ", ")
      return names.isEmpty ? what : "\(what): \(names)"
    }
    parts += HeapSubject(profile)?.losses ?? []
    parts += markers.map { "\($0.label) \(Quantities.percent($0.share, of: 1))" }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  private static func phrase(_ reason: Losses.Reason, count: Int64) -> String {
    let number = Quantities.grouped(Double(count))
    func some(_ one: String, _ many: String) -> String { "\(number) \(count == 1 ? one : many)" }
    switch reason {
    case .ringFull, .agentBusy: return some("sample", "samples") + " lost (\(reason.rawValue))"
    case .noSlot, .noTimer: return some("thread", "threads") + " not sampled (\(reason.rawValue))"
    case .noHeapSlot: return some("thread", "threads") + " not tracked (\(reason.rawValue))"
    case .neverEntered: return some("process", "processes") + " seldom or never sampled"
    case .leftRunning: return some("process", "processes") + " left running"
    case .badRecord: return some("record", "records") + " not readable"
    }
  }

  private static func description(_ source: Provenance) -> [String] {
    let facts: [(String, String)] = [
      ("command", command(source)),
      ("bench", source.bench ?? ""),
      ("folder", source.workingDirectory),
      ("started", source.startTime > 0 ? date(source.startTime) : ""),
      ("duration", source.duration.rawValue > 0 ? seconds(source.duration) : ""),
      ("CPU time", source.cpuTime.map(seconds) ?? ""),
      ("rate", rate(source)),
      ("host", source.host),
      ("kernel", source.kernel),
      ("processors", source.processors > 0 ? String(source.processors) : ""),
      ("git commit", source.gitCommit ?? ""),
      ("made by", source.toolVersion.isEmpty ? "" : "qprof " + source.toolVersion),
    ]
    return facts.filter { !$1.isEmpty }.map { "\($0): \($1)" }
  }

  private static func seconds(_ duration: Nanoseconds) -> String {
    Quantities.decimal(duration.seconds, places: 2) + " s"
  }

  /// `2026-11-24 08:05:00 UTC`.
  private static func date(_ sinceEpoch: Double) -> String {
    guard var time = time_t(exactly: sinceEpoch.rounded(.down)) else { return "" }
    var parts = tm()
    guard gmtime_r(&time, &parts) != nil else { return "" }
    func two(_ value: Int32) -> String { (value < 10 ? "0" : "") + String(value) }
    let day = "\(Int(parts.tm_year) + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    return "\(day) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) UTC"
  }
}

extension FlameTree {
  /// Share of all weight by marker, each stack counted once, largest first.
  func markerShares(_ totals: [Double]) -> [(label: String, share: Double)] {
    var inMarker = [Bool](repeating: false, count: nodes.count)
    var weights: [String: Double] = [:]
    for (index, node) in nodes.enumerated().dropFirst() {
      let frame = frames[Int(node.frame)]
      let below = inMarker[Int(node.parent)]
      inMarker[index] = below || frame.kind == .marker
      if frame.kind == .marker, !below { weights[frame.name, default: 0] += totals[index] }
    }
    return weights.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .filter { $0.value > 0 }.map { (label: $0.key, share: $0.value / totals[0]) }
  }
}
