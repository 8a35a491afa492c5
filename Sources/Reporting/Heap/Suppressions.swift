/// Leaks that are known and accepted, in LeakSanitizer's format: one `leak:PATTERN` on a line.
/// Empty lines and those that begin with `#` say nothing.
package struct Suppressions: Sendable {
  struct Rule: Hashable, Sendable {
    enum Scope: Sendable {
      /// The function, the source file or the module of any frame.
      case anyFrame
      /// The module of a function that the dynamic linker called.
      case constructor
    }
    var pattern: SuppressionPattern
    var scope = Scope.anyFrame
    /// Why the leak is none, for the rules that come with qprof.
    var reason: String?
  }
  private(set) var rules: [Rule] = []

  package init() {}

  /// Reads the text of a file. `source` names it in errors.
  package init(_ text: String, source: String) throws(ReportingError) {
    guard text.utf8.count <= Self.largestText else {
      throw .suppressions(source, .tooLarge(bytes: text.utf8.count, limit: Self.largestText))
    }
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, line) in lines.enumerated() {
      let line = Self.trimmed(line)
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      guard let colon = line.firstIndex(of: ":") else {
        throw .suppressions(source, .noType(line: number + 1, text: String(line)))
      }
      let type = line[..<colon]
      guard type == "leak" else {
        throw .suppressions(source, .otherType(line: number + 1, type: String(type)))
      }
      let pattern = Self.trimmed(line[line.index(after: colon)...])
      guard pattern.contains(where: { !"*^$".contains($0) }) else {
        throw .suppressions(source, .matchesAll(line: number + 1, text: String(pattern)))
      }
      rules.append(Rule(pattern: SuppressionPattern(String(pattern)), reason: nil))
    }
  }

  init(rules: [Rule]) { self.rules = rules }

  /// The rules of all, those of `a` first.
  package static func + (a: Self, b: Self) -> Self { Self(rules: a.rules + b.rules) }

  private static let largestText = 1 << 20

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text.drop(while: \.isWhitespace)
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}

/// A pattern as LeakSanitizer has it: any part of the text, with `*` for anything in between, `^`
/// at the front and `$` at the back for the ends of the text.
struct SuppressionPattern: Hashable, Sendable {
  let text: String
  private let parts: [[UInt8]]
  private let fromStart: Bool
  private let toEnd: Bool

  init(_ text: String) {
    self.text = text
    fromStart = text.hasPrefix("^")
    toEnd = text.hasSuffix("$")
    parts = text.dropFirst(fromStart ? 1 : 0).dropLast(toEnd ? 1 : 0)
      .split(separator: "*", omittingEmptySubsequences: false).map { Array($0.utf8) }
  }

  /// Takes each part where it comes first; the last one, where the end is given, at the end.
  func matches(_ name: String) -> Bool {
    let name = Array(name.utf8)
    var place = 0
    for (index, part) in parts.enumerated() {
      let isFixed = index == 0 && fromStart
      if index == parts.count - 1, toEnd {
        guard name.count - place >= part.count, name.suffix(part.count).elementsEqual(part) else {
          return false
        }
        return !isFixed || name.count == part.count
      }
      guard let found = Self.find(part, in: name, from: place, onlyThere: isFixed) else {
        return false
      }
      place = found + part.count
    }
    return true
  }

  private static func find(_ part: [UInt8], in name: [UInt8], from start: Int, onlyThere: Bool)
    -> Int?
  {
    guard name.count - part.count >= start else { return nil }
    let last = onlyThere ? start : name.count - part.count
    return (start...last).first { name[$0..<$0 + part.count].elementsEqual(part) }
  }
}
