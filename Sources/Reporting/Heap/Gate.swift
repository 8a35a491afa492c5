import ProfileModel

/// Conditions, and whether a run fails by them.
package struct Gate: Sendable {
  package enum Verdict: Sendable {
    case passed
    case failed
    /// None failed, and at least one could not be decided.
    case notMeasured
  }

  struct Outcome: Sendable {
    let condition: GateCondition
    let value: Int64?
    let base: Int64?
    let result: Result
  }

  enum Result: Hashable, Sendable {
    case passed
    case failed
    case notMeasured(Obstacle)
  }

  /// Why a figure is not known exactly, and in which of the profiles.
  struct Obstacle: Hashable, Sendable {
    enum Reason: Hashable, Sendable {
      case countsOnly
      case estimated
      case lost(events: Int64)
      case untracked(program: String)
    }
    let reason: Reason
    let isBase: Bool
  }

  let outcomes: [Outcome]

  /// Throws where a condition is about a base and there is none.
  init(_ conditions: [GateCondition], _ report: HeapReport, base: HeapReport?)
    throws(ReportingError)
  {
    var outcomes: [Outcome] = []
    for condition in conditions {
      guard base != nil || !condition.isRelative else {
        throw condition.withoutBase
      }
      outcomes.append(Self.outcome(condition, report, base: condition.isRelative ? base : nil))
    }
    self.outcomes = outcomes
  }

  package var verdict: Verdict {
    if outcomes.contains(where: { $0.result == .failed }) { return .failed }
    return outcomes.allSatisfy { $0.result == .passed } ? .passed : .notMeasured
  }

  private static func outcome(
    _ condition: GateCondition, _ report: HeapReport, base: HeapReport?
  ) -> Outcome {
    let metric = condition.metric
    let value = report.total(metric)
    let before = base?.total(metric)
    let obstacle =
      report.obstacle(to: metric).map { Obstacle(reason: $0, isBase: false) }
      ?? base?.obstacle(to: metric).map { Obstacle(reason: $0, isBase: true) }
    guard obstacle == nil, let value else {
      return Outcome(
        condition: condition, value: value, base: before,
        result: .notMeasured(obstacle ?? Obstacle(reason: .countsOnly, isBase: false)))
    }
    let fails = condition.holds(value, base: before ?? 0)
    return Outcome(
      condition: condition, value: value, base: before, result: fails ? .failed : .passed)
  }
}

extension HeapReport {
  /// Why the total of `metric` is not exact; nil when it is.
  fileprivate func obstacle(to metric: HeapMetric) -> Gate.Obstacle.Reason? {
    if let untracked = processes.first(where: { $0.heap.untracked != nil }) {
      return .untracked(program: untracked.name)
    }
    // Allocations and bytes are counted apart from events where these are sampled.
    let isCounted = metric == .allocs || metric == .bytes
    if totals.lost > 0, mode == .full || !isCounted { return .lost(events: totals.lost) }
    guard !isCounted else { return nil }
    switch mode {
    case .full: return nil
    case .sample: return .estimated
    case .count: return .countsOnly
    }
  }
}
