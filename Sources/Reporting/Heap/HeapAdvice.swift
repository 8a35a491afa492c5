import ProfileModel

/// Why a reader should not take the figures of a heap as they are, and what to do about it.
enum HeapAdvice: Hashable, Sendable {
  case countsOnly
  case estimated(interval: Bytes)
  case untracked(program: String, reason: String)
  case lost(events: Int64, isSampled: Bool)
  case reentrant(calls: Int64)
  /// Of all allocations, 0…1.
  case truncated(share: Double)
  case unknownFrees(count: Int64, share: Double)
  /// What was live was not left behind: the program did not get to free it.
  case killed(signal: Int32)
  case leftRunning

  /// Of all: less is not worth a word.
  static let smallestWorthNaming = 0.01

  /// The name of the case in JSON.
  var code: String {
    switch self {
    case .countsOnly: "heap-counts-only"
    case .estimated: "heap-estimated"
    case .untracked: "heap-untracked"
    case .lost: "heap-lost"
    case .reentrant: "heap-reentrant"
    case .truncated: "heap-truncated"
    case .unknownFrees: "heap-unknown-frees"
    case .killed: "heap-killed"
    case .leftRunning: "heap-left-running"
    }
  }
}

extension Report {
  /// In order of how much they matter.
  var heapAdvice: [HeapAdvice] {
    guard let heap else { return [] }
    return heap.untrackedAdvice + heap.lossAdvice + endAdvice(heap) + heap.modeAdvice
  }

  private func endAdvice(_ heap: HeapReport) -> [HeapAdvice] {
    guard heap.live.count > 0 else { return [] }
    switch provenance.exit {
    case .signalled(let signal): return [.killed(signal: signal)]
    case .leftRunning: return [.leftRunning]
    case .exited, nil: return []
    }
  }
}

extension HeapReport {
  fileprivate var untrackedAdvice: [HeapAdvice] {
    var known = Set<HeapAdvice>()
    return processes.compactMap { process in
      process.heap.untracked.map { .untracked(program: process.name, reason: $0) }
    }.filter { known.insert($0).inserted }
  }

  fileprivate var lossAdvice: [HeapAdvice] {
    var advice: [HeapAdvice] = []
    if totals.lost > 0 { advice.append(.lost(events: totals.lost, isSampled: isSampled)) }
    if totals.reentrant > 0 { advice.append(.reentrant(calls: totals.reentrant)) }
    let truncated = Share(totals.truncated, of: recorded, samples: nil).value
    if truncated >= HeapAdvice.smallestWorthNaming { advice.append(.truncated(share: truncated)) }
    let unknown = Share(
      totals.unknownFrees, of: totals.unknownFrees.addingUpTo(totals.freed.count), samples: nil
    ).value
    if unknown >= HeapAdvice.smallestWorthNaming {
      advice.append(.unknownFrees(count: totals.unknownFrees, share: unknown))
    }
    return advice
  }

  /// The allocations whose stacks were looked at.
  private var recorded: Int64 {
    if case .sample = mode { siteTotals.drawn } else { totals.allocated.count }
  }

  fileprivate var modeAdvice: [HeapAdvice] {
    switch mode {
    case .full: []
    case .sample(let interval): [.estimated(interval: interval)]
    case .count: [.countsOnly]
    }
  }
}
