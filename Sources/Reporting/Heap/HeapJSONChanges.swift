import ProfileModel

extension HeapDocument {
  struct Difference: Encodable {
    struct Total: Encodable {
      var base: Int64
      var current: Int64
    }
    struct Change: Encodable {
      var change: String
      var program: String
      var base: Int64
      var current: Int64
      var margin: Double?
      var callers: [Frame]
    }
    var base: String
    var totals: [String: Total]
    var siteCounts: [String: Int]
    var sites: [String: [Change]]

    init(_ difference: HeapDifference, limit: Int) {
      base = difference.source
      totals = [:]
      siteCounts = [:]
      sites = [:]
      for metric in HeapMetric.allCases {
        let name = metric.rawValue
        if let base = difference.base.total(metric),
          let current = difference.current.total(metric)
        {
          totals[name] = Total(base: base, current: current)
        }
        let changes = difference.changes(of: metric)
        siteCounts[name] = changes.count
        sites[name] = changes.prefix(limit).map { row in
          Change(
            change: row.change.rawValue, program: row.site.program, base: row.base,
            current: row.current, margin: difference.isSampled ? row.margin : nil,
            callers: difference.frames(row.callers).map(Frame.init))
        }
      }
    }
  }

  struct Condition: Encodable {
    var condition: String
    var metric: String
    var result: String
    var value: Int64?
    var base: Int64?
    var limit: Double?
    var reason: String?

    init(_ outcome: Gate.Outcome) {
      condition = outcome.condition.text
      metric = outcome.condition.metric.rawValue
      result = outcome.word
      value = outcome.value
      base = outcome.base
      if case .notMeasured(let obstacle) = outcome.result {
        reason = obstacle.message(outcome.condition.metric)
      } else {
        limit = outcome.condition.limit(base: outcome.base ?? 0)
      }
    }
  }
}
