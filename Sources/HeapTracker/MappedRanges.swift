/// The ranges that a program has mapped itself, ordered by address, each with its site. Ranges do
/// not overlap; what is unmapped in the middle of one splits it.
struct MappedRanges {
  struct Range {
    var start: UInt64
    var end: UInt64
    var site: UInt32
    /// The call that mapped it, of which pieces may be left.
    var mapping: Int
  }
  /// What an unmapping took from a site, and how many of its mappings are gone to the last byte.
  struct Removal {
    var site: UInt32
    var bytes: Int64
    var calls: Int64
  }
  private(set) var ranges: [Range] = []
  /// Bytes that are left of each mapping.
  private var left: [Int: UInt64] = [:]
  private var nextMapping = 0

  /// The kernel allows 65,530 mappings; a process that tells of many more is not believed.
  private static let mostRanges = 1 << 17
  /// User addresses end here.
  private static let highest: UInt64 = 1 << 56

  /// - Returns: what the new mapping replaced, and its size; 0 when it was not taken in.
  mutating func map(_ address: UInt64, _ length: UInt64, site: UInt32) -> (
    removed: [Removal], bytes: Int64
  ) {
    let removed = unmap(address, length)
    guard let end = Self.end(address, length), ranges.count < Self.mostRanges else {
      return (removed, 0)
    }
    let index = firstIndex(endingAfter: address)
    ranges.insert(Range(start: address, end: end, site: site, mapping: nextMapping), at: index)
    left[nextMapping] = end - address
    nextMapping += 1
    return (removed, Int64(end - address))
  }

  mutating func unmap(_ address: UInt64, _ length: UInt64) -> [Removal] {
    guard let end = Self.end(address, length) else { return [] }
    let first = firstIndex(endingAfter: address)
    var last = first
    var kept: [Range] = []
    var removals: [Removal] = []
    while last < ranges.count, ranges[last].start < end {
      let range = ranges[last]
      if range.start < address {
        kept.append(range)
        kept[kept.count - 1].end = address
      }
      if range.end > end {
        kept.append(range)
        kept[kept.count - 1].start = end
      }
      removals.append(remove(min(range.end, end) - max(range.start, address), of: range))
      last += 1
    }
    if last > first { ranges.replaceSubrange(first..<last, with: kept) }
    return removals
  }

  private mutating func remove(_ bytes: UInt64, of range: Range) -> Removal {
    let rest = (left[range.mapping] ?? bytes) - bytes
    left[range.mapping] = rest == 0 ? nil : rest
    return Removal(site: range.site, bytes: Int64(bytes), calls: rest == 0 ? 1 : 0)
  }

  private static func end(_ address: UInt64, _ length: UInt64) -> UInt64? {
    guard length > 0, address < highest, length < highest else { return nil }
    return address + (length + 4095) & ~4095  // whole pages, as the kernel does
  }

  private func firstIndex(endingAfter address: UInt64) -> Int {
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].end <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The growth of the program break by site; what is given back is what was added last.
struct ProgramBreak {
  /// Successive growths from one site.
  private struct Growth {
    var site: UInt32
    var bytes: Int64
    var calls: Int64
  }
  private var growths: [Growth] = []

  /// - Returns: what was taken from each site.
  mutating func move(by bytes: Int64, site: UInt32) -> [MappedRanges.Removal] {
    if bytes > 0 {
      if let last = growths.last, last.site == site {
        growths[growths.count - 1].bytes &+= bytes
        growths[growths.count - 1].calls += 1
      } else {
        growths.append(Growth(site: site, bytes: bytes, calls: 1))
      }
      return []
    }
    var removals: [MappedRanges.Removal] = []
    var rest = bytes == .min ? .max : -bytes
    while rest > 0, var last = growths.popLast() {
      let part = min(rest, last.bytes)
      last.bytes -= part
      let isOver = last.bytes <= 0
      if !isOver { growths.append(last) }
      removals.append(.init(site: last.site, bytes: part, calls: isOver ? last.calls : 0))
      rest -= part
    }
    return removals
  }
}
