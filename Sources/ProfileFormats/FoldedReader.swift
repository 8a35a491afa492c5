package import ProfileModel

/// Lines of a text format that could not be read and were passed over.
package struct SkippedLines: Hashable, Sendable {
  package struct Line: Hashable, Sendable {
    /// From 1.
    package var number: Int
    package var text: String
  }
  package private(set) var count = 0
  /// The first three, cut to a length that fits a terminal.
  package private(set) var examples: [Line] = []

  mutating func add(_ number: Int, _ text: ArraySlice<UInt8>) {
    count += 1
    guard examples.count < 3 else { return }
    examples.append(Line(number: number, text: printable(text.prefix(60))))
  }
}

extension Folded {
  /// Reads folded stacks of any tool. Bad lines are passed over and counted; an input without a
  /// single good line is an error.
  package static func decode(_ bytes: [UInt8]) throws(ProfileFormatError) -> (
    profile: Profile, skipped: SkippedLines
  ) {
    var reader = FoldedReader(withoutByteOrderMark(bytes))
    reader.read()
    let profile = try reader.finish()
    return (profile, reader.skipped)
  }
}

struct FoldedReader {
  private let bytes: [UInt8]
  private(set) var profile = Profile()
  private(set) var skipped = SkippedLines()
  private var names: [String: ID<Location>] = [:]
  /// Weights that are no whole numbers, by sample, and how many decimals they need.
  private var fractions: [Int: Double] = [:]
  private var decimals = 0
  /// The stack of the line before: most lines share their beginning with it.
  private var previous: ArraySlice<UInt8> = []
  private var previousFrames: [(end: Int, node: ID<StackNode>)] = []

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func read() {
    var start = 0
    var number = 1
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      read(line: trimmed(bytes[start..<end]), number)
      start = end + 1
      number += 1
    }
  }

  mutating func finish() throws(ProfileFormatError) -> Profile {
    guard !profile.samples.isEmpty else {
      let line = skipped.examples.first?.number
      throw ProfileFormatError(
        .malformed(
          .folded, at: line.map { .line($0) }, rule: "no line is a stack followed by a number"))
    }
    profile.provenance.engine = "folded stacks"
    do {
      try scaleFractions()
      try profile.checkRules()
    } catch {
      throw ProfileFormatError(.malformed(.folded, at: nil, rule: error.rule))
    }
    return profile
  }

  private mutating func read(line: ArraySlice<UInt8>, _ number: Int) {
    guard let first = line.first, first != UInt8(ascii: "#"), !line.starts(with: "//".utf8) else {
      return
    }
    guard let gap = line.lastIndex(where: isBlank), let weight = Weight(line[(gap + 1)...]) else {
      return skipped.add(number, line)
    }
    let stack = line[..<gap]
    guard stack.contains(where: { !isBlank($0) }) else { return skipped.add(number, line) }
    var sample = Sample(time: Nanoseconds(0), thread: nil, stack: node(of: stack), weight: 0)
    switch weight {
    case .whole(let value): sample.weight = value
    case .fraction(let value, let needed):
      fractions[profile.samples.count] = value
      decimals = max(decimals, needed)
    }
    profile.samples.append(sample)
  }

  /// Enters the frames of a line. Those it shares with the line before are known.
  private mutating func node(of stack: ArraySlice<UInt8>) -> ID<StackNode>? {
    let shared = zip(stack, previous).prefix { $0 == $1 }.count
    // The byte after a `;` decides whether it separates, so that must be shared too.
    let kept = previousFrames.prefix { $0.end + 1 < shared }.count
    var frames = Array(previousFrames.prefix(kept))
    var start = stack.startIndex + (frames.last.map { $0.end + 1 } ?? 0)
    while start <= stack.endIndex {
      let end = frameEnd(in: stack, from: start)
      let location = location(named: stack[start..<end])
      let node = profile.stacks.intern(
        StackNode(parent: frames.last?.node, location: location))
      frames.append((end - stack.startIndex, node))
      start = end + 1
    }
    previous = stack
    previousFrames = frames
    return frames.last?.node
  }

  /// The next `;`, except one before a space inside brackets, as in Rust's `[u8; 4]`.
  private func frameEnd(in stack: ArraySlice<UInt8>, from start: Int) -> Int {
    var square = 0
    var angle = 0
    for position in start..<stack.endIndex {
      switch stack[position] {
      case UInt8(ascii: "["): square += 1
      case UInt8(ascii: "]"): square -= 1
      case UInt8(ascii: "<"): angle += 1
      case UInt8(ascii: ">"): angle -= 1
      case UInt8(ascii: ";"):
        let isBeforeSpace =
          position + 1 < stack.endIndex && stack[position + 1] == UInt8(ascii: " ")
        if !isBeforeSpace || (square <= 0 && angle <= 0) { return position }
      default: break
      }
    }
    return stack.endIndex
  }

  private mutating func location(named bytes: ArraySlice<UInt8>) -> ID<Location> {
    let text = bytes.isEmpty ? Folded.unknown : printable(bytes)
    if let known = names[text] { return known }
    let location = profile.internNamed(text)
    names[text] = location
    return location
  }

  /// Weights are whole numbers here, so where some are not, all are counted in a smaller unit.
  private mutating func scaleFractions() throws(BrokenRule) {
    guard decimals > 0 else { return }
    let factor = (0..<decimals).reduce(Int64(1)) { factor, _ in factor * 10 }
    for row in profile.samples.indices {
      if let fraction = fractions[row] {
        profile.samples[row].weight = Int64((fraction * Double(factor)).rounded())
        continue
      }
      let (weight, overflow) = profile.samples[row].weight.multipliedReportingOverflow(by: factor)
      guard !overflow else { throw BrokenRule("the weight of a line is too large") }
      profile.samples[row].weight = weight
    }
    profile.valueType.unit = "1/\(factor) count"
  }

  /// The number that ends a line.
  private enum Weight {
    case whole(Int64)
    case fraction(Double, decimals: Int)

    init?(_ bytes: ArraySlice<UInt8>) {
      let text = String(decoding: bytes, as: UTF8.self)
      if let whole = Int64(text), whole >= 0 {
        self = .whole(whole)
        return
      }
      // "inf" and "nan" are names, not numbers; above 10^12 six decimals no longer fit.
      guard let first = bytes.first, (0x30...0x39).contains(first) || first == 0x2e,
        let value = Double(text), value >= 0, value < 1e12
      else { return nil }
      if let whole = Int64(exactly: value) {
        self = .whole(whole)
      } else {
        let point = bytes.firstIndex(of: 0x2e) ?? bytes.endIndex - 7
        self = .fraction(value, decimals: max(1, min(6, bytes.endIndex - point - 1)))
      }
    }
  }
}

extension Profile {
  /// A location of which only the name is known; a marker where it has the name of one.
  mutating func internNamed(_ name: String) -> ID<Location> {
    if let marker = FrameMarker(label: name) { return locations.intern(.marker(marker)) }
    let string = strings.intern(name)
    let function = functions.intern(Function(name: string, systemName: string, file: nil))
    return locations.intern(.named(function))
  }
}
