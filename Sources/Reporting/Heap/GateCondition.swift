package import ProfileModel

/// A condition under which a run fails: `leaked>0`, `peak>64MiB`, `allocs>+2%`.
///
///     METRIC COMPARISON NUMBER [UNIT]
///
/// A number with a sign is about the base: `+2%` is 2 % more than it, `+0` as much, `-1KiB` one KiB
/// less. Without a sign it stands for itself.
package struct GateCondition: Hashable, Sendable {
  enum Comparison: String, CaseIterable, Sendable {
    // Longer ones first: `>=` begins with `>`.
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
    case equal = "=="
    case unequal = "!="
    case greater = ">"
    case less = "<"
  }

  /// As it was given.
  package let text: String
  package let metric: HeapMetric
  let comparison: Comparison
  /// The comparison is exact, in whole numbers: `value · scale` with `base · factor + constant`.
  let scale: Int128
  let factor: Int128
  let constant: Int128

  package var isRelative: Bool { factor != 0 }

  /// The error where it is relative and there is no base: it points to the sign.
  package var withoutBase: ReportingError {
    let sign = text.firstIndex { $0 == "+" || $0 == "-" } ?? text.startIndex
    return .condition(
      text, position: text.distance(from: text.startIndex, to: sign) + 1, .noBase)
  }

  package init(_ text: String) throws(ReportingError) {
    var reader = ConditionReader(text)
    metric = try reader.metric()
    comparison = try reader.comparison()
    let number = try reader.number(for: metric)
    self.text = text
    switch number.kind {
    case .absolute:
      (scale, factor, constant) = (number.denominator, 0, number.numerator)
    case .difference:
      (scale, factor, constant) = (number.denominator, number.denominator, number.numerator)
    case .percent:
      let whole = 100 * number.denominator
      (scale, factor, constant) = (whole, whole + number.numerator, 0)
    }
  }

  /// Whether the run fails by it. `base` is needed, and looked at, only where it is relative.
  func holds(_ value: Int64, base: Int64) -> Bool {
    let (a, b) = (Int128(value) * scale, Int128(base) * factor + constant)
    switch comparison {
    case .greaterOrEqual: return a >= b
    case .lessOrEqual: return a <= b
    case .equal: return a == b
    case .unequal: return a != b
    case .greater: return a > b
    case .less: return a < b
    }
  }

  /// What the value was compared with.
  func limit(base: Int64) -> Double {
    Double(Int128(base) * factor + constant) / Double(scale)
  }
}

/// Takes a condition apart from left to right.
private struct ConditionReader {
  enum Kind {
    case absolute
    case difference
    case percent
  }
  struct Number {
    var kind: Kind
    var numerator: Int128
    var denominator: Int128
  }

  private let text: String
  private var rest: Substring
  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  mutating func metric() throws(ReportingError) -> HeapMetric {
    skipSpaces()
    let start = rest
    let word = take { $0.isLetter || $0 == "-" || $0 == "_" }
    guard let metric = HeapMetric(rawValue: word) else {
      throw problem(.noMetric(found: word.isEmpty ? found : word), at: start)
    }
    return metric
  }

  mutating func comparison() throws(ReportingError) -> GateCondition.Comparison {
    skipSpaces()
    guard
      let comparison = GateCondition.Comparison.allCases.first(where: {
        rest.hasPrefix($0.rawValue)
      })
    else { throw problem(.noComparison(found: found), at: rest) }
    rest = rest.dropFirst(comparison.rawValue.count)
    return comparison
  }

  mutating func number(for metric: HeapMetric) throws(ReportingError) -> Number {
    skipSpaces()
    let start = rest
    let sign = take { $0 == "+" || $0 == "-" }
    let whole = take(\.isASCIIDigit)
    let point = rest.first == "." ? take { $0 == "." } : ""
    let fraction = point.isEmpty ? "" : take(\.isASCIIDigit)
    guard sign.count < 2, point.count < 2, !whole.isEmpty, point.isEmpty || !fraction.isEmpty else {
      throw problem(.noNumber(found: start.isEmpty ? found : String(start)), at: start)
    }
    guard whole.count + fraction.count <= 15, let digits = Int64(whole + fraction) else {
      throw problem(.tooManyDigits, at: start)
    }
    let unit = try unit(for: metric, isRelative: !sign.isEmpty)
    let numerator = Int128(digits) * Int128(unit ?? 1) * (sign == "-" ? -1 : 1)
    let denominator = (0..<fraction.count).reduce(Int128(1)) { result, _ in result * 10 }
    let kind: Kind = unit == nil ? .percent : sign.isEmpty ? .absolute : .difference
    return Number(kind: kind, numerator: numerator, denominator: denominator)
  }

  /// Bytes, or nil for a percentage.
  private mutating func unit(for metric: HeapMetric, isRelative: Bool) throws(ReportingError)
    -> Int64?
  {
    skipSpaces()
    let start = rest
    let word = String(rest).trimmingSuffixSpaces
    switch word {
    case "": return 1
    case "%":
      guard isRelative else { throw problem(.percentOfNothing, at: start) }
      return nil
    case "B", "KiB", "MiB", "GiB":
      guard metric.countsBytes else {
        throw problem(.noSizes(metric: metric.rawValue), at: start)
      }
      return word == "B" ? 1 : word == "KiB" ? 1 << 10 : word == "MiB" ? 1 << 20 : 1 << 30
    default: throw problem(.unknownUnit(found: word), at: start)
    }
  }

  private mutating func skipSpaces() { rest = rest.drop { $0 == " " } }

  private mutating func take(_ belongs: (Character) -> Bool) -> String {
    let word = rest.prefix(while: belongs)
    rest = rest.dropFirst(word.count)
    return String(word)
  }

  private var found: String { rest.isEmpty ? "the end" : String(rest) }

  private func problem(_ problem: ReportingError.ConditionProblem, at place: Substring)
    -> ReportingError
  {
    .condition(
      text, position: text.distance(from: text.startIndex, to: place.startIndex) + 1, problem)
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}

extension String {
  fileprivate var trimmingSuffixSpaces: String {
    String(reversed().drop { $0 == " " }.reversed())
  }
}
