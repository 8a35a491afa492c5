package import ProfileModel

/// Folded stacks, one a line: docs/formats/folded.md.
package enum Folded {
  /// One line a distinct stack, root first: `process;outer;inner 12`. The process is there when
  /// the profile has several. Lines are in the order of their bytes, so equal profiles give equal
  /// text; stacks without weight are left out.
  ///
  /// A name's `;` becomes `:`, its control characters `\xNN`: nothing in a name can end it.
  package static func encode(_ profile: Profile) -> String {
    var writer = FoldedWriter(profile)
    return writer.text()
  }
}

private struct FoldedWriter {
  private let profile: Profile
  private let showsProcesses: Bool
  /// The part of a line that a location gives, made on first use.
  private var names: [String?]

  init(_ profile: Profile) {
    self.profile = profile
    showsProcesses = profile.processes.count > 1
    names = Array(repeating: nil, count: profile.locations.count)
  }

  private struct Key: Hashable {
    var process: ID<ProcessImage>?
    var stack: ID<StackNode>?
  }

  mutating func text() -> String {
    var weights: [Key: Int64] = [:]
    for sample in profile.samples {
      let process = showsProcesses ? profile.process(of: sample) : nil
      let key = Key(process: process, stack: sample.stack)
      weights[key, default: 0] += sample.weight
    }
    var lines: [String: Int64] = [:]
    for (key, weight) in weights where weight != 0 {
      lines[line(key), default: 0] += weight
    }
    return lines.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { "\($0.key) \($0.value)\n" }.joined()
  }

  private mutating func line(_ key: Key) -> String {
    var frames: [String] = []
    if showsProcesses {
      let name = key.process.map { profile.strings[profile.processes[$0].name] }
      frames.append(Folded.escaped(name ?? ""))
    }
    frames += profile.locations(of: key.stack).reversed().map { name(of: $0) }
    if key.stack == nil { frames.append(Folded.unknown) }
    return Folded.escapedStart(frames.joined(separator: ";"))
  }

  /// The functions of a location, outermost first.
  private mutating func name(of location: ID<Location>) -> String {
    if let name = names[location.index] { return name }
    let name = profile.frames(of: location).reversed().map { Folded.escaped($0.name) }
      .joined(separator: ";")
    names[location.index] = name
    return name
  }
}

extension Folded {
  static let unknown = "[unknown]"

  /// A name that can stand between semicolons. A blank at its start becomes `\x20`, because
  /// readers do not split `[u8; 4]` before one.
  static func escaped(_ name: String) -> String {
    if name.isEmpty { return unknown }
    let isPlain = name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f && $0 != 0x3b }
    if isPlain, name.utf8.first != 0x20 { return name }
    var result = ""
    for scalar in name.unicodeScalars {
      switch scalar.value {
      case 0x3b: result += ":"
      case 0..<0x20, 0x7f: result += hexEscape(UInt8(scalar.value))
      case 0x20 where result.isEmpty: result += hexEscape(0x20)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A line that no reader takes for a comment.
  static func escapedStart(_ line: String) -> String {
    guard let first = line.utf8.first, first == UInt8(ascii: "#") || line.hasPrefix("//") else {
      return line
    }
    return hexEscape(first) + String(line.unicodeScalars.dropFirst())
  }

  static func hexEscape(_ byte: UInt8) -> String {
    "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }
}
