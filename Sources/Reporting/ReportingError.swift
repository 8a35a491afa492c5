/// What can be wrong with what a report is asked for.
package enum ReportingError: Error, Hashable {
  /// The file of suppressions and what is wrong with it.
  case suppressions(String, SuppressionProblem)
  /// The condition of a gate, and the position of the character, from 1, that it goes wrong at.
  case condition(String, position: Int, ConditionProblem)
  /// The profile, as its user named it, has no allocations.
  case noHeap(source: String)

  package enum SuppressionProblem: Hashable, Sendable {
    case tooLarge(bytes: Int, limit: Int)
    case noType(line: Int, text: String)
    case otherType(line: Int, type: String)
    case matchesAll(line: Int, text: String)
  }

  package enum ConditionProblem: Hashable, Sendable {
    case noMetric(found: String)
    case noComparison(found: String)
    case noNumber(found: String)
    case tooManyDigits
    case unknownUnit(found: String)
    /// A size for a metric that counts allocations.
    case noSizes(metric: String)
    case percentOfNothing
    case noBase
  }
}

extension ReportingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .suppressions(let source, let problem): "\(source): \(problem.message)"
    case .condition(let text, let position, let problem):
      "--fail-if '\(text)', character \(position): \(problem.message)"
    case .noHeap(let source):
      "'\(source)' has no allocations; record it with 'qprof record --heap'"
    }
  }
}

extension ReportingError.SuppressionProblem {
  fileprivate var message: String {
    switch self {
    case .tooLarge(let bytes, let limit):
      "\(bytes) bytes are more than suppressions may have (\(limit)); keep those that are needed"
    case .noType(let line, let text):
      "line \(line): '\(text)' is no suppression; write leak:PATTERN, or # before a comment"
    case .otherType(let line, let type):
      "line \(line): '\(type)' is no type of suppression that is known here; write leak:PATTERN"
    case .matchesAll(let line, let text):
      "line \(line): '\(text)' would suppress every leak; name a function, a file or a module"
    }
  }
}

extension ReportingError.ConditionProblem {
  fileprivate var message: String {
    switch self {
    case .noMetric(let found):
      "a metric belongs here, not '\(found)': allocs, bytes, peak, leaked or temporary"
    case .noComparison(let found):
      "a comparison belongs here, not '\(found)': > >= < <= == or !="
    case .noNumber(let found):
      "a number belongs here, not '\(found)': 0, 4KiB, or against the base +2%, +0, -1MiB"
    case .tooManyDigits: "a number has 15 digits at most"
    case .unknownUnit(let found):
      "'\(found)' is no unit; write B, KiB, MiB, GiB or %"
    case .noSizes(let metric): "\(metric) are a number of allocations and have no unit"
    case .percentOfNothing: "a percentage is about a base; write +2% or -2%"
    case .noBase: "this is about a base; name one with --diff BASE"
    }
  }
}
