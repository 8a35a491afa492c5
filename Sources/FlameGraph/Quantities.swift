package import ProfileModel

/// How the sample weights of a profile are written: as time where the profile says what a sample
/// stands for, `1.23 s`; as a size where they are bytes; else as a number with its unit.
package struct Quantities: Sendable {
  private enum Unit: Sendable {
    /// Nanoseconds of one unit of weight.
    case time(Double)
    case bytes
    case count(String)
  }
  private var unit: Unit
  /// `samples`, where weights are counts that are also shown as time.
  private var countedAs: String?

  package init(_ profile: Profile) {
    let type = profile.valueType
    switch (type.unit, profile.period) {
    case ("nanoseconds", _): unit = .time(1)
    case ("microseconds", _): unit = .time(1e3)
    case ("milliseconds", _): unit = .time(1e6)
    case ("bytes", _): unit = .bytes
    case ("count", let period?) where period.type.unit == "nanoseconds":
      unit = .time(Double(period.value))
      countedAs = type.kind
    default: unit = .count(type.unit == "count" ? type.kind : type.unit)
    }
  }

  /// Units of `other` in one of these; 1 where they are not both times.
  func ratio(to other: Quantities) -> Double {
    guard case .time(let mine) = unit, case .time(let theirs) = other.unit, theirs > 0
    else { return 1 }
    return mine / theirs
  }

  /// `1.23 s`, `3.4 MiB`, `120 samples`.
  package func text(_ weight: Double) -> String {
    switch unit {
    case .time(let scale):
      return Self.scaled(weight * scale, [("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1)])
    case .bytes:
      return Self.scaled(weight, [("GiB", 0x1p30), ("MiB", 0x1p20), ("KiB", 0x1p10), ("B", 1)])
    case .count(let name): return "\(Self.grouped(weight)) \(name)"
    }
  }

  /// The number of samples where ``text(_:)`` does not already say it: `120 samples`.
  package func count(_ weight: Double) -> String? {
    countedAs.map { "\(Self.grouped(weight)) \($0)" }
  }

  /// `4.1 %`, `0.03 %`, `<0.01 %`.
  package static func percent(_ part: Double, of whole: Double) -> String {
    guard whole > 0, part != 0 else { return "0 %" }
    let percent = 100 * part / whole
    if abs(percent) < 0.01 { return "<0.01 %" }
    return decimal(percent, places: abs(percent) < 0.995 ? 2 : 1) + " %"
  }

  /// Rounded, with a point and `places` digits after it; `100` and other whole hundreds plain.
  package static func decimal(_ value: Double, places: Int) -> String {
    let factor = (0..<places).reduce(1.0) { result, _ in result * 10 }
    let scaled = (abs(value) * factor).rounded()
    guard scaled < 1e15 else { return value < 0 ? "-∞" : "∞" }
    let digits = String(Int64(scaled))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + digits }
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return sign + padded.dropLast(places) + "." + padded.suffix(places)
  }

  private static func scaled(_ value: Double, _ units: [(String, Double)]) -> String {
    let (name, size) = units.first { abs(value) >= $0.1 } ?? units[units.count - 1]
    let number = value / size
    let places = size == 1 ? 0 : abs(number) < 10 ? 2 : abs(number) < 100 ? 1 : 0
    return decimal(number, places: places) + " " + name
  }

  /// `12,345`.
  private static func grouped(_ value: Double) -> String {
    let digits = decimal(abs(value), places: 0)
    var result = ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place).isMultiple(of: 3) { result.append(",") }
      result.append(digit)
    }
    return (value < 0 ? "-" : "") + result
  }
}
