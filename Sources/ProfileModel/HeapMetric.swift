/// A number that a heap profile has for every stack.
package enum HeapMetric: String, Hashable, Sendable, CaseIterable {
  /// Allocations.
  case allocs
  /// Bytes allocated, whatever became of them.
  case bytes
  /// Bytes that were live when the process's heap was largest.
  case peak
  /// Bytes that were still live at the end.
  case leaked
  /// Allocations that the same thread freed as its next action.
  case temporary

  /// As pprof names it; `peak` and `temporary`, which pprof does not have, are named alike.
  package var valueType: ValueType {
    switch self {
    case .allocs: ValueType(kind: "alloc_objects", unit: "count")
    case .bytes: ValueType(kind: "alloc_space", unit: "bytes")
    case .peak: ValueType(kind: "peak_space", unit: "bytes")
    case .leaked: ValueType(kind: "inuse_space", unit: "bytes")
    case .temporary: ValueType(kind: "temporary_objects", unit: "count")
    }
  }

  /// The metric of which a profile's weights are; nil for other kinds of weight.
  package init?(_ type: ValueType) {
    guard let metric = Self.allCases.first(where: { $0.valueType == type }) else { return nil }
    self = metric
  }

  /// In words, as for a title: `memory at peak`.
  package var title: String {
    switch self {
    case .allocs: "allocations"
    case .bytes: "allocated memory"
    case .peak: "memory at peak"
    case .leaked: "memory live at the end"
    case .temporary: "temporary allocations"
    }
  }

  /// The part of `site` that the metric counts.
  package func amount(of site: HeapSite) -> Int64 {
    switch self {
    case .allocs: site.allocated.count
    case .bytes: site.allocated.bytes
    case .peak: site.atPeak.bytes
    case .leaked: site.live.bytes
    case .temporary: site.temporary.count
    }
  }
}

extension Profile {
  /// The profile with its heap in place of its samples: one for each site whose amount is not
  /// zero, in the process that it belongs to. Everything made from samples can be made from it:
  /// flame graphs, call trees, tables, exports. Without sites, as in mode `count`, it is empty.
  ///
  /// Sampling rates and losses of CPU samples are left out. In a sampled heap the weights are
  /// estimates, and the period is the sampling interval in bytes.
  package func view(of metric: HeapMetric, kind: HeapSite.Kind = .block) -> Profile {
    var view = self
    view.valueType = metric.valueType
    view.heap?.viewedKind = kind
    view.samples = (heap?.sites ?? []).compactMap { site in
      let weight = metric.amount(of: site)
      guard site.kind == kind, weight != 0 else { return nil }
      var sample = Sample(time: Nanoseconds(0), thread: nil, stack: site.stack, weight: weight)
      sample.process = site.process
      return sample
    }
    view.period = heap?.mode.period
    view.provenance.engine = "heap"
    view.provenance.requestedRate = 0
    view.provenance.effectiveRate = 0
    view.losses = losses.aboutProcesses
    return view
  }

  /// The profile without its heap.
  package var cpuView: Profile {
    var view = self
    view.heap = nil
    return view
  }

  /// The heap metric that the samples are of: in a view, or a file with heap amounts.
  package var heapMetric: HeapMetric? { HeapMetric(valueType) }
}

extension HeapProfile.Mode {
  /// As profiles of Go state it.
  package var period: Period? {
    guard case .sample(let interval) = self else { return nil }
    return Period(type: ValueType(kind: "space", unit: "bytes"), value: interval.rawValue)
  }
}

extension Losses {
  /// Without what is said of CPU samples only.
  fileprivate var aboutProcesses: Losses {
    var result = Losses()
    for reason in [Reason.leftRunning, .badRecord] {
      result.add(reason, events: self[reason].events, weight: self[reason].weight)
      result.processNames[reason] = processNames[reason]
    }
    return result
  }
}
