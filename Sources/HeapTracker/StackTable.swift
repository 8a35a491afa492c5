import CAgentWire
import Glibc

/// The stacks that a process has told, each with its site, so that one that is told again (by
/// another thread, or because an agent's table was full) is found by comparing and not by looking
/// its frames up. Only a cache: it may be emptied at any time.
struct StackTable {
  private struct Entry {
    var hash: UInt64
    var first: Int
    var count: UInt32
    var ending: UInt32
    var site: UInt32
  }
  private var entries: [Entry] = []
  /// The frames of all entries, one after the other.
  private var frames: [UInt64] = []
  /// Entries by hash, as index plus one; 0 where there is none.
  private var places = [UInt32](repeating: 0, count: 1024)

  var count: Int { entries.count }

  mutating func removeAll() { self = StackTable() }

  static func hash(_ frames: UnsafeBufferPointer<UInt64>, ending: UInt32) -> UInt64 {
    var hash: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(ending)
    for frame in frames {
      let product = (hash ^ frame).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
      hash = product.high ^ product.low ^ hash &<< 1
    }
    return hash
  }

  func site(_ wanted: UnsafeBufferPointer<UInt64>, ending: UInt32, hash: UInt64) -> UInt32? {
    var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
    while places[place] != 0 {
      let entry = entries[Int(places[place]) - 1]
      if entry.hash == hash, Int(entry.count) == wanted.count, entry.ending == ending,
        isEqual(entry, wanted)
      {
        return entry.site
      }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  private func isEqual(_ entry: Entry, _ wanted: UnsafeBufferPointer<UInt64>) -> Bool {
    frames.withUnsafeBufferPointer { known in
      guard let known = known.baseAddress, let wanted = wanted.baseAddress else {
        return wanted.isEmpty
      }
      return memcmp(known + entry.first, wanted, Int(entry.count) * 8) == 0
    }
  }

  mutating func insert(
    _ new: UnsafeBufferPointer<UInt64>, ending: UInt32, hash: UInt64, site: UInt32
  ) {
    if entries.count * 2 >= places.count { growPlaces() }
    entries.append(
      Entry(
        hash: hash, first: frames.count, count: UInt32(new.count), ending: ending, site: site))
    frames.append(contentsOf: new)
    setPlace(of: hash, to: UInt32(entries.count))
  }

  private mutating func setPlace(of hash: UInt64, to number: UInt32) {
    var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
    while places[place] != 0 { place = (place + 1) & (places.count - 1) }
    places[place] = number
  }

  private mutating func growPlaces() {
    places = [UInt32](repeating: 0, count: places.count * 2)
    for (index, entry) in entries.enumerated() { setPlace(of: entry.hash, to: UInt32(index + 1)) }
  }
}
