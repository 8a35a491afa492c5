import ProfileModel

/// What a picture of a heap says about it in words.
struct HeapSubject {
  private let profile: Profile
  private let metric: HeapMetric

  /// Nil where the profile's samples are no amounts of memory.
  init?(_ profile: Profile) {
    guard let metric = profile.heapMetric else { return nil }
    self.profile = profile
    self.metric = metric
  }

  /// `memory at peak`, with the kind of memory where it is not the usual one.
  var title: String {
    switch profile.heap?.viewedKind ?? .block {
    case .block: metric.title
    case let kind: metric.title + " (\(Self.name(kind)))"
    }
  }

  private static func name(_ kind: HeapSite.Kind) -> String {
    switch kind {
    case .block: "blocks"
    case .mapping: "mappings"
    case .programBreak: "program break"
    }
  }

  /// Memory of other kinds, which is easily taken for shown.
  private var notShown: [String] {
    guard let heap = profile.heap, metric.valueType.unit == "bytes" else { return [] }
    return HeapSite.Kind.allCases.filter { $0 != heap.viewedKind }.compactMap { kind in
      let sum = heap.sites.filter { $0.kind == kind }
        .reduce(0.0) { $0 + Double(metric.amount(of: $1)) }
      return sum > 0 ? "not shown: \(Quantities(profile).text(sum)) in \(Self.name(kind))" : nil
    }
  }

  /// When the peak was, how far to trust the numbers, and what else there is.
  var notes: [String] {
    var notes: [String] = []
    let processes = Set(profile.samples.compactMap(\.process))
    if metric == .peak, let heap = profile.heap {
      let peaks = heap.processes.filter { processes.contains($0.process) }
      if processes.count > 1 {
        notes.append("\(processes.count) processes, each at its own peak")
      } else if let time = peaks.first?.peakTime, time.rawValue > 0 {
        notes.append("peak at " + Quantities.time(time))
      }
    }
    if let period = profile.period, period.type.unit == "bytes", period.value > 1 {
      notes.append(
        "estimated from allocations drawn about every " + Quantities.size(period.value))
    }
    return notes + notShown
  }

  /// What is not in the numbers.
  var losses: [String] {
    guard let heap = profile.heap else { return [] }
    let lost = heap.processes.reduce(0.0) { $0 + Double($1.lost) }
    let untracked = heap.processes.compactMap { process in
      process.untracked.map {
        "\(profile.strings[profile.processes[process.process].name]) not tracked: \($0)"
      }
    }
    return (lost > 0 ? [Quantities.grouped(lost) + " heap events lost"] : []) + untracked
  }
}
