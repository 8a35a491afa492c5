import Capture
import ProfileModel

/// From sums to rows of the profile.
extension ProcessHeap {
  /// Live now, as estimated in a sampled profile.
  var liveAmount: HeapAmount { plain(engine.pointee.live) }

  /// Adds the rows of this process as they are now.
  func append(to profile: inout HeapProfile, _ session: CaptureSession, _ rows: ProfileRows) {
    let id = rows.process(process)
    let sites = siteRows(id)
    guard sites.allSatisfy({ $0.isBelievable }) else {
      var row = HeapProcess(process: id)
      row.untracked = "told of more memory than there can be"
      profile.processes.append(row)
      return
    }
    profile.sites += sites
    profile.processes.append(processRow(id, sites, session, rows))
    profile.threads += threadRows()
  }

  private var isSampled: Bool { engine.pointee.weights != nil }

  /// Counts of a sampled profile are kept in small units.
  private func plain(_ amount: HeapAmount) -> HeapAmount {
    guard isSampled else { return amount }
    let count = (Double(amount.count) / Weights.unit).rounded()
    return HeapAmount(count: Int64(count), bytes: amount.bytes)
  }

  private func siteRows(_ id: ID<ProcessImage>) -> [HeapSite] {
    siteKeys.indices.compactMap { index in
      let sums = engine.pointee.sites[index]
      guard sums.allocated.count != 0 else { return nil }
      var site = HeapSite(process: id, kind: siteKeys[index].kind, stack: siteKeys[index].stack)
      let isBlock = site.kind == .block
      site.allocated = isBlock ? plain(sums.allocated) : sums.allocated
      site.freed = isBlock ? plain(sums.freed) : sums.freed
      site.temporary = isBlock ? plain(sums.temporary) : sums.temporary
      let atPeak = engine.pointee.atPeak(index)
      site.atPeak = isBlock ? plain(atPeak) : atPeak
      if isBlock, isSampled {
        let draws = engine.pointee.draws[index]
        site.drawn = draws.count
        site.countVariance = draws.countVariance
        site.bytesVariance = draws.bytesVariance
      }
      return site
    }
  }

  private func processRow(
    _ id: ID<ProcessImage>, _ sites: [HeapSite], _ session: CaptureSession, _ rows: ProfileRows
  ) -> HeapProcess {
    var row = HeapProcess(process: id)
    let engine = engine.pointee
    var totals = endedTotals
    for thread in threads.values { totals += thread.pointee.ring.totals }
    for site in sites where site.kind == .block {
      row.allocated += site.allocated
      row.freed += site.freed
      row.temporary += site.temporary
    }
    if mode != .full {
      row.allocated = HeapAmount(count: totals.allocations, bytes: totals.bytes)
      row.freed = HeapAmount(count: totals.frees)
    }
    row.failed = totals.failed
    row.reentrant = totals.reentrant
    row.lost = totals.lost
    row.unknownFrees = engine.unknownFrees
    row.truncated = truncatedSites.reduce(0) {
      siteKeys[Int($1)].kind == .block
        ? $0 &+ plain(engine.sites[Int($1)].allocated).count : $0
    }
    row.peak = plain(engine.peak)
    if row.peak.count > 0 { row.peakTime = time(engine.peakTime, rows) }
    row.sizes = histogram(engine.sizes)
    row.lifetimes = clock.isCounted ? [] : histogram(engine.lifetimes)
    row.timeline = engine.timeline.result(live: engine.live.bytes) { time($0, rows) }
    row.residency = residency
    if session.definesMalloc(process) { row.untracked = "defines malloc itself" }
    return row
  }

  /// Without the empty buckets behind the last one.
  private func histogram(_ buckets: UnsafeMutablePointer<HeapAmount>) -> [HeapAmount] {
    let all = UnsafeBufferPointer(start: buckets, count: HeapEngine.buckets).map(plain)
    return Array(all[...(all.lastIndex { $0 != HeapAmount() } ?? -1)])
  }

  private func threadRows() -> [HeapThread] {
    var sums = threadSums
    for (slot, thread) in threads {
      guard let id = threadIDs[slot] else { continue }
      sums[id, default: HeapThread(thread: id)].add(row(of: thread.pointee, id))
    }
    return sums.values.sorted { $0.thread < $1.thread }
  }

  func row(of thread: TrackedThread, _ id: ID<ThreadInfo>) -> HeapThread {
    var row = HeapThread(thread: id)
    row.allocated = plain(thread.allocated)
    row.freed = plain(thread.freedAmount)
    row.temporary = plain(thread.temporary)
    if mode != .full {
      let totals = thread.ring.totals
      row.allocated = HeapAmount(count: totals.allocations, bytes: totals.bytes)
      row.freed = HeapAmount(count: totals.frees)
    }
    return row
  }

  /// Ticks since the session began as time since the recording began.
  private func time(_ ticks: UInt64, _ rows: ProfileRows) -> Nanoseconds {
    let time = clock.nanoseconds(ticks)
    return Nanoseconds(max(0, time &+ clock.start &- rows.start.rawValue))
  }
}

extension HeapSite {
  /// A broken process can tell of any sizes: their sums are not to overflow.
  fileprivate var isBelievable: Bool {
    let limit: Int64 = 1 << 55
    return allocated.count < limit && allocated.bytes < limit
      && 0...allocated.count ~= freed.count && 0...allocated.bytes ~= freed.bytes
  }
}

extension HeapThread {
  mutating func add(_ other: HeapThread) {
    allocated += other.allocated
    freed += other.freed
    temporary += other.temporary
  }
}
