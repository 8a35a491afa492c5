import ProfileModel

/// The same sums as the tracker's, from dictionaries and by starting over for every event.
struct Oracle {
  struct Live {
    var size: Int64
    var site: Int
    var thread: Int
  }
  struct Site: Equatable {
    var allocated = HeapAmount()
    var freed = HeapAmount()
    var atPeak = HeapAmount()
    var temporary = HeapAmount()
  }
  private(set) var live: [UInt64: Live] = [:]
  private(set) var sites: [Int: Site] = [:]
  private(set) var peak = HeapAmount()
  private(set) var unknownFrees: Int64 = 0
  private(set) var contradictions: Int64 = 0
  private(set) var freedByThread: [Int: HeapAmount] = [:]
  /// By thread: the address that its last event allocated.
  private var lastAllocation: [Int: UInt64] = [:]

  mutating func allocate(_ address: UInt64, _ size: Int64, site: Int, thread: Int) {
    if let old = live.removeValue(forKey: address) {
      contradictions += 1
      sites[old.site, default: Site()].freed += HeapAmount(count: 1, bytes: old.size)
    }
    live[address] = Live(size: size, site: site, thread: thread)
    sites[site, default: Site()].allocated += HeapAmount(count: 1, bytes: size)
    lastAllocation[thread] = address
    notePeak()
  }

  mutating func free(_ address: UInt64, thread: Int) {
    let isLast = lastAllocation.removeValue(forKey: thread) == address
    guard let block = live.removeValue(forKey: address) else {
      unknownFrees += 1
      return
    }
    let amount = HeapAmount(count: 1, bytes: block.size)
    sites[block.site, default: Site()].freed += amount
    freedByThread[thread, default: HeapAmount()] += amount
    if isLast, block.thread == thread { sites[block.site, default: Site()].temporary += amount }
  }

  /// A free that did not happen: at most the thread's last allocation stays so.
  mutating func fail(_ address: UInt64, thread: Int) {
    let keeps = lastAllocation[thread] == address && live[address]?.thread == thread
    if !keeps { lastAllocation[thread] = nil }
  }

  private mutating func notePeak() {
    var now: [Int: HeapAmount] = [:]
    for block in live.values {
      now[block.site, default: HeapAmount()] += HeapAmount(count: 1, bytes: block.size)
    }
    let total = now.values.reduce(into: HeapAmount()) { $0 += $1 }
    guard total.bytes > peak.bytes else { return }
    peak = total
    for site in sites.keys { sites[site]?.atPeak = now[site] ?? HeapAmount() }
  }
}

extension HeapAmount {
  static func += (a: inout Self, b: Self) {
    a = HeapAmount(count: a.count + b.count, bytes: a.bytes + b.bytes)
  }
}
