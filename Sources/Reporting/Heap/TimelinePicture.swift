import Markup
import ProfileModel

/// A process's heap over time as SVG: above what was live, the most that was and the resident size,
/// below the allocations a second.
struct TimelinePicture {
  private let timeline: HeapTimeline
  private let peak: HeapAmount
  private let peakTime: Nanoseconds
  private let size: Axis
  private let rate: Axis
  private let time: Axis

  private static let (left, right) = (78.0, 966.0)
  private static let (top, middle) = (34.0, 250.0)
  private static let (rateTop, bottom) = (282.0, 352.0)

  /// Nil for a heap without steps.
  init?(_ heap: HeapProcess) {
    timeline = heap.timeline
    guard !timeline.steps.isEmpty, timeline.width.rawValue > 0 else { return nil }
    peak = heap.peak
    peakTime = heap.peakTime
    let steps = timeline.steps
    let largest = steps.map { max($0.largest, $0.live, $0.resident) }.max() ?? 0
    size = Axis(upTo: Double(largest), isBinary: true, from: Self.middle, to: Self.top)
    let seconds = timeline.width.seconds
    let most = Double(steps.map(\.allocations).max() ?? 0) / seconds
    rate = Axis(upTo: most, isBinary: false, from: Self.bottom, to: Self.rateTop)
    time = Axis(
      from: timeline.start.seconds, length: seconds * Double(steps.count), at: Self.left,
      to: Self.right)
  }

  func write(to svg: inout MarkupWriter) {
    svg.markup("<svg class=\"timeline\" viewBox=\"0 0 1000 396\" role=\"img\">\n")
    svg.element("<title>", "Memory over time", "</title>\n")
    addAxes(to: &svg)
    addArea(to: &svg)
    addSteps("largest", to: &svg) { $0.largest }
    addResident(to: &svg)
    addRates(to: &svg)
    addPeak(to: &svg)
    addLegend(to: &svg)
    svg.markup("</svg>\n")
  }

  // MARK: - Axes

  private func addAxes(to svg: inout MarkupWriter) {
    for tick in size.ticks {
      addLine("axis", (Self.left, size.place(tick)), (Self.right, size.place(tick)), to: &svg)
      addText(size.label(tick), Self.left - 6, size.place(tick) + 4, "end", to: &svg)
    }
    for tick in rate.ticks {
      addLine("axis", (Self.left, rate.place(tick)), (Self.right, rate.place(tick)), to: &svg)
      addText(rate.label(tick), Self.left - 6, rate.place(tick) + 4, "end", to: &svg)
    }
    addText("allocations per second", Self.left, Self.rateTop - 8, "start", to: &svg)
    for tick in time.ticks {
      let x = time.place(tick)
      addLine("axis", (x, Self.bottom), (x, Self.bottom + 5), to: &svg)
      addText(time.label(tick), x, Self.bottom + 18, "middle", to: &svg)
    }
    addText("time since the start", Self.right, Self.bottom + 36, "end", to: &svg)
  }

  private func addLegend(to svg: inout MarkupWriter) {
    let resident = timeline.steps.contains { $0.resident > 0 }
    let entries =
      [("live", "live at the end of a step"), ("largest", "most that was live in a step")]
      + (resident ? [("resident", "resident memory")] : [])
    var x = Self.left
    for (name, label) in entries {
      svg.markup("<rect")
      svg.attribute("class", name)
      svg.attribute("x", x)
      svg.markup(" y=\"8\" width=\"20\" height=\"9\"/>\n")
      addText(label, x + 26, 16, "start", to: &svg)
      x += 220
    }
  }

  // MARK: - Values

  /// Where step `index` begins.
  private func x(_ index: Int) -> Double {
    time.place(timeline.start.seconds + timeline.width.seconds * Double(index))
  }

  /// From step to step: a value holds for the whole of its step.
  private func addSteps(
    _ name: String, to svg: inout MarkupWriter, _ value: (HeapTimeline.Step) -> Int64
  ) {
    var points: [(Double, Double)] = []
    for (index, step) in timeline.steps.enumerated() {
      let y = size.place(Double(value(step)))
      points += [(x(index), y), (x(index + 1), y)]
    }
    addLine(name, points, to: &svg)
  }

  /// From step to step in which somebody looked.
  private func addResident(to svg: inout MarkupWriter) {
    let points = timeline.steps.enumerated().filter { $0.element.resident > 0 }.map {
      ((x($0.offset) + x($0.offset + 1)) / 2, size.place(Double($0.element.resident)))
    }
    guard let first = points.first else { return }
    // One look is shown as a dash.
    addLine(
      "resident", points.count > 1 ? points : [(first.0 - 12, first.1), (first.0 + 12, first.1)],
      to: &svg)
  }

  private func addLine(
    _ name: String, _ points: [(Double, Double)], to svg: inout MarkupWriter
  ) {
    svg.markup("<polyline")
    svg.attribute("class", name)
    svg.attribute("points", Self.text(points))
    svg.markup("/>\n")
  }

  /// What was live, as it was at the end of each step.
  private func addArea(to svg: inout MarkupWriter) {
    let floor = size.place(0)
    let points = timeline.steps.enumerated().map { index, step in
      (x(index + 1), size.place(Double(step.live)))
    }
    svg.markup("<polygon class=\"live\"")
    svg.attribute(
      "points", Self.text([(x(0), floor)] + points + [(x(timeline.steps.count), floor)]))
    svg.markup("/>\n")
  }

  private func addRates(to svg: inout MarkupWriter) {
    for (index, step) in timeline.steps.enumerated() where step.allocations > 0 {
      let y = rate.place(Double(step.allocations) / timeline.width.seconds)
      svg.markup("<rect class=\"rate\"")
      svg.attribute("x", x(index))
      svg.attribute("y", y)
      svg.attribute("width", max(x(index + 1) - x(index) - 0.5, 0.5))
      svg.attribute("height", rate.place(0) - y)
      svg.markup("/>\n")
    }
  }

  private func addPeak(to svg: inout MarkupWriter) {
    guard peak.bytes > 0 else { return }
    let (x, y) = (time.place(peakTime.seconds), size.place(Double(peak.bytes)))
    addLine("peak", (x, y), (x, size.place(0)), to: &svg)
    svg.markup("<circle class=\"peak\" r=\"4\"")
    svg.attribute("cx", x)
    svg.attribute("cy", y)
    svg.markup("/>\n")
    let label = "peak \(Quantities.size(peak.bytes)) at \(Quantities.time(peakTime))"
    let isLeft = x < (Self.left + Self.right) / 2
    addText(
      label, x + (isLeft ? 8 : -8), max(y - 8, Self.top - 6), isLeft ? "start" : "end",
      name: "of-peak", to: &svg)
  }

  // MARK: - Marks

  private func addLine(
    _ name: String, _ a: (x: Double, y: Double), _ b: (x: Double, y: Double),
    to svg: inout MarkupWriter
  ) {
    svg.markup("<line")
    svg.attribute("class", name)
    svg.attribute("x1", a.x)
    svg.attribute("y1", a.y)
    svg.attribute("x2", b.x)
    svg.attribute("y2", b.y)
    svg.markup("/>\n")
  }

  private func addText(
    _ text: String, _ x: Double, _ y: Double, _ anchor: String, name: String = "label",
    to svg: inout MarkupWriter
  ) {
    svg.markup("<text")
    svg.attribute("class", name)
    svg.attribute("x", x)
    svg.attribute("y", y)
    svg.attribute("text-anchor", anchor)
    svg.element(">", text, "</text>\n")
  }

  private static func text(_ points: [(Double, Double)]) -> String {
    points.map { MarkupWriter.number($0.0) + "," + MarkupWriter.number($0.1) }
      .joined(separator: " ")
  }
}

/// Values along one side of a picture, with ticks at round numbers.
private struct Axis {
  private enum Unit {
    case bytes
    case count
    case seconds
  }
  private(set) var ticks: [Double]
  private let unit: Unit
  private let step: Double
  private let (first, length): (Double, Double)
  private let (start, end): (Double, Double)

  /// From 0 to the tick at or above `largest`.
  init(upTo largest: Double, isBinary: Bool, from start: Double, to end: Double) {
    unit = isBinary ? .bytes : .count
    step = isBinary ? Self.binaryStep(largest / 4) : Self.step(largest / 2)
    let count = max(1, (largest / step).rounded(.up))
    (first, length) = (0, step * count)
    ticks = (0...Int(count)).map { [step] in Double($0) * step }
    (self.start, self.end) = (start, end)
  }

  /// Seconds.
  init(from first: Double, length: Double, at start: Double, to end: Double) {
    unit = .seconds
    step = Self.step(length / 8)
    (self.first, self.length) = (first, length)
    let from = (first / step).rounded(.up)
    let count = max(0, ((first + length) / step).rounded(.down) - from)
    ticks = (0...Int(min(count, 100))).map { [step] in (from + Double($0)) * step }
    (self.start, self.end) = (start, end)
  }

  /// Where `value` is, kept inside the picture.
  func place(_ value: Double) -> Double {
    let part = length > 0 ? (value - first) / length : 0
    return start + (end - start) * min(max(part, 0), 1)
  }

  func label(_ tick: Double) -> String {
    switch unit {
    case .bytes: return Self.size(tick)
    case .count:
      return tick >= 1e6
        ? MarkupWriter.number(tick / 1e6) + " M"
        : tick >= 1e3 ? MarkupWriter.number(tick / 1e3) + " k" : MarkupWriter.number(tick)
    case .seconds:
      return step >= 0.1
        ? MarkupWriter.number(tick) + " s"
        : step >= 1e-4
          ? MarkupWriter.number(tick * 1e3) + " ms" : MarkupWriter.number(tick * 1e6) + " µs"
    }
  }

  private static func size(_ bytes: Double) -> String {
    let units = [("TiB", 0x1p40), ("GiB", 0x1p30), ("MiB", 0x1p20), ("KiB", 0x1p10)]
    guard let (name, size) = units.first(where: { bytes >= $0.1 }) else {
      return MarkupWriter.number(bytes) + " B"
    }
    return MarkupWriter.number(bytes / size) + " " + name
  }

  /// The smallest of 1, 2, 5, 10, 20 … that is at least `value`.
  private static func step(_ value: Double) -> Double {
    guard value > 0, value.isFinite else { return 1 }
    var step = 1e-6
    while step * 10 < value { step *= 10 }
    return [1, 2, 5, 10].map { $0 * step }.first { $0 >= value } ?? step * 10
  }

  /// The smallest power of two, or half more than one, that is at least `value`.
  private static func binaryStep(_ value: Double) -> Double {
    guard value > 1, value.isFinite else { return 1 }
    var step = 1.0
    while step * 2 < value { step *= 2 }
    return [1, 1.5, 2].map { $0 * step }.first { $0 >= value } ?? step * 2
  }
}
