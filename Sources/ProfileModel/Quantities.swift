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
    default: unit = .count(Self.noun(type))
    }
  }

  /// What is counted, as people call it.
  private static func noun(_ type: ValueType) -> String {
    switch (type.kind, type.unit) {
    case ("alloc_objects", "count"): "allocations"
    case ("temporary_objects", "count"): "temporary allocations"
    case ("inuse_objects", "count"): "blocks"
    case (let kind, "count"): kind
    case (_, let unit): unit
    }
  }

  /// Seconds of one unit of weight; nil where weights are no times.
  package var secondsPerUnit: Double? {
    if case .time(let nanoseconds) = unit { nanoseconds / 1e9 } else { nil }
  }

  /// Weights are numbers of something, neither times nor sizes.
  package var areCounts: Bool { if case .count = unit { true } else { false } }

  /// `1.23 s`, `3.4 MiB`, `120 samples`.
  package func text(_ weight: Double) -> String {
    if case .count(let name) = unit { return Self.counted(weight, name) }
    return scale(for: weight).text(weight)
  }

  /// The number of samples where ``text(_:)`` does not already say it: `120 samples`.
  package func count(_ weight: Double) -> String? {
    countedAs.map { Self.counted(weight, $0) }
  }

  /// `12,345 samples`, `1 sample`.
  private static func counted(_ weight: Double, _ name: String) -> String {
    let number = grouped(weight)
    return number == "1" && name.hasSuffix("s") ? "1 \(name.dropLast())" : "\(number) \(name)"
  }

  /// One unit and one number of places for a column of values up to `largest`.
  package func scale(for largest: Double) -> Scale {
    switch unit {
    case .time(let nanoseconds): Scale(Self.times, factor: nanoseconds, largest: largest)
    case .bytes: Scale(Self.sizes, factor: 1, largest: largest)
    case .count(let name): Scale(name: name, size: 1, factor: 1, places: 0)
    }
  }

  package struct Scale: Sendable {
    package let name: String
    private let size: Double
    private let factor: Double
    private let places: Int

    fileprivate init(name: String, size: Double, factor: Double, places: Int) {
      self.name = name
      self.size = size
      self.factor = factor
      self.places = places
    }

    /// The largest of `units` (largest first) that `largest` reaches, with three digits.
    fileprivate init(_ units: [(String, Double)], factor: Double, largest: Double) {
      let value = abs(largest * factor)
      let (name, size) = units.first { value >= $0.1 } ?? units[units.count - 1]
      let number = value / size
      self.init(
        name: name, size: size, factor: factor,
        places: size == 1 ? 0 : number < 9.995 ? 2 : number < 99.95 ? 1 : 0)
    }

    package func text(_ weight: Double) -> String { number(weight) + " " + name }

    /// Without the unit.
    package func number(_ weight: Double) -> String {
      let number = weight * factor / size
      return places == 0 ? Quantities.grouped(number) : Quantities.decimal(number, places: places)
    }
  }

  private static let times = [("s", 1e9), ("ms", 1e6), ("µs", 1e3), ("ns", 1)]
  private static let sizes = [("GiB", 0x1p30), ("MiB", 0x1p20), ("KiB", 0x1p10), ("B", 1)]

  /// A duration: `1.23 s`.
  package static func time(_ duration: Nanoseconds) -> String {
    let value = Double(duration.rawValue)
    return Scale(times, factor: 1, largest: value).text(value)
  }

  /// A size: `3.4 MiB`.
  package static func size(_ bytes: Int64) -> String {
    Scale(sizes, factor: 1, largest: Double(bytes)).text(Double(bytes))
  }

  /// `4.1 %`, `0.03 %`, `<0.01 %`.
  package static func percent(_ part: Double, of whole: Double) -> String {
    guard whole > 0, part != 0 else { return "0 %" }
    let percent = 100 * part / whole
    if abs(percent) < 0.01 { return "<0.01 %" }
    return decimal(percent, places: abs(percent) < 0.995 ? 2 : 1) + " %"
  }

  /// Rounded, with a point and `places` digits after it.
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

  /// `12,345`.
  package static func grouped(_ value: Double) -> String {
    let digits = decimal(abs(value), places: 0)
    var result = ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place).isMultiple(of: 3) { result.append(",") }
      result.append(digit)
    }
    return (value < 0 ? "-" : "") + result
  }
}
