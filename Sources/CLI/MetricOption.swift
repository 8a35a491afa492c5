import ArgumentParser
import ProfileModel

/// Which numbers of a profile a command is about.
struct MetricOption: ParsableArguments {
  enum Metric: String, ExpressibleByArgument, CaseIterable {
    case cpu
    case allocs
    case bytes
    case peak
    case leaked
    case temporary

    /// Nil for `cpu`.
    var heap: HeapMetric? { HeapMetric(rawValue: rawValue) }
  }

  @Option(
    help: ArgumentHelp(
      "What to show: CPU time, allocations, bytes allocated, live at the peak or at the end, or "
        + "allocations freed at once.",
      discussion: "CPU time where it was recorded, else peak."))
  var metric: Metric?

  @Option(
    help: ArgumentHelp(
      "The memory that a heap metric is about: blocks of malloc, mappings of mmap, or the program "
        + "break.", valueName: "kind"))
  var memory: Memory = .blocks

  enum Memory: String, ExpressibleByArgument, CaseIterable {
    case blocks
    case mappings
    case `break`

    var kind: HeapSite.Kind {
      switch self {
      case .blocks: .block
      case .mappings: .mapping
      case .break: .programBreak
      }
    }
  }

  /// `profile` with samples that are of the metric: what a person reading it expects when none was
  /// chosen.
  func select(from profile: Profile) throws(CLIError) -> Profile {
    let metric = metric ?? Self.metric(for: profile)
    guard let wanted = metric.heap else {
      guard profile.heap == nil || !profile.samples.isEmpty else { throw .noCPUSamples }
      guard profile.heapMetric == nil else { throw .noCPUSamples }
      return profile.cpuView
    }
    if profile.heapMetric == wanted { return profile }
    guard let heap = profile.heap else { throw .noHeap(metric: metric.rawValue) }
    guard heap.mode != .count else { throw .noHeapSites(metric: metric.rawValue) }
    return profile.view(of: wanted, kind: memory.kind)
  }

  /// What was live at the peak, where only memory was recorded: the first thing that people look
  /// at. A profile that was read from a file with heap amounts has one metric already.
  static func metric(for profile: Profile) -> Metric {
    if let metric = profile.heapMetric { return Metric(rawValue: metric.rawValue) ?? .cpu }
    return profile.heap != nil && profile.samples.isEmpty ? .peak : .cpu
  }
}
