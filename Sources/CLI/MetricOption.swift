import ArgumentParser
import ProfileFormats
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
      "The memory that a heap metric is about: blocks of malloc, mappings made with mmap, or growth "
        + "of the program break. Blocks when left out."))
  var memory: Memory?

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

  @Flag(
    help: """
      End stacks of allocations at the callers of operator new, swift_allocObject, xmalloc and the \
      like.
      """)
  var hideAllocators = false

  /// `profile` with samples that are of the metric: what a person reading it expects when none was
  /// chosen. Errors call it `source`.
  func select(from profile: Profile, source: String? = nil) throws(CLIError) -> Profile {
    let chosen = metric ?? Self.metric(for: profile)
    guard let wanted = chosen.heap else {
      guard profile.heapMetric == nil, profile.heap == nil || !profile.samples.isEmpty else {
        throw .noCPUSamples(source: source)
      }
      guard memory == nil else { throw .memoryWithoutHeapMetric }
      return profile.cpuView
    }
    let view = try view(of: wanted, from: profile, source)
    return hideAllocators ? view.hidingAllocators() : view
  }

  private func view(
    of wanted: HeapMetric, from profile: Profile, _ source: String?
  ) throws(CLIError) -> Profile {
    if profile.heapMetric == wanted, memory ?? .blocks == .blocks { return profile }
    guard let heap = profile.heap else {
      throw .noHeap(metric: wanted.rawValue, source: source)
    }
    guard heap.mode != .count else {
      throw .noHeapSites(metric: wanted.rawValue, source: source)
    }
    let kind = (memory ?? .blocks).kind
    guard kind == .block || heap.sites.contains(where: { $0.kind == kind }) else {
      throw .noSuchMemory(kind, source: source)
    }
    return profile.view(of: wanted, kind: kind)
  }

  /// The option as it is for another profile that is compared with `profile`.
  func following(_ profile: Profile) -> MetricOption {
    var option = self
    if let heap = Self.metric(for: profile).heap, metric == nil {
      option.metric = Metric(rawValue: heap.rawValue)
    }
    return option
  }

  /// What to take of a file with several values for each sample.
  var values: ProfileValues {
    guard let metric else { return .fileDefault }
    return metric.heap.map { .heap($0) } ?? .cpu
  }

  /// What was live at the peak, where only memory was recorded: the first thing that people look
  /// at. A profile that was read from a file with heap amounts has one metric already.
  static func metric(for profile: Profile) -> Metric {
    if let metric = profile.heapMetric { return Metric(rawValue: metric.rawValue) ?? .cpu }
    return profile.heap != nil && profile.samples.isEmpty ? .peak : .cpu
  }
}
