import ArgumentParser
import ProfileModel

/// The value of `record --heap`: `full`, `sample`, `sample:BYTES` or `count`.
struct HeapOption: ExpressibleByArgument {
  var mode: HeapProfile.Mode

  /// Mean distance of two drawn allocations: what jemalloc and tcmalloc draw by.
  private static let standardInterval = Bytes(512 << 10)
  private static let intervals: ClosedRange<Int64> = 1...(1 << 40)

  init?(argument: String) {
    let words = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (words[0], words.count) {
    case ("full", 1): mode = .full
    case ("count", 1): mode = .count
    case ("sample", 1): mode = .sample(interval: Self.standardInterval)
    case ("sample", _):
      guard let bytes = Self.bytes(String(words[1])), Self.intervals.contains(bytes) else {
        return nil
      }
      mode = .sample(interval: Bytes(bytes))
    default: return nil
    }
  }

  /// `4096`, `64K`, `1M`, `1G`.
  private static func bytes(_ text: String) -> Int64? {
    let units: [Character: Int64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
    guard let last = text.last else { return nil }
    guard let unit = units[last] else { return Int64(text) }
    guard let count = Int64(text.dropLast()) else { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: unit)
    return overflow ? nil : bytes
  }

  static let allValueStrings = ["full", "sample", "sample:BYTES", "count"]
  var defaultValueDescription: String { "full" }

  /// The words of `qprof record`, with `--heap` alone written out: an option either always takes a
  /// value or never. Words of the recorded command are left alone.
  static func spelledOut(_ words: [String]) -> [String] {
    let withValue: Set = ["-F", "--frequency", "-o", "--output", "--bench", "--agent-dir"]
    var words = words
    var place = 1
    while place < words.count, words[place].hasPrefix("-"), words[place] != "--" {
      if words[place] == "--heap" { words[place] = "--heap=full" }
      place += withValue.contains(words[place]) ? 2 : 1
    }
    return words
  }
}
