import CAgentWire
import Capture
import ProfileModel

/// All that is known of the heap of one live process: its engine, its threads, and what its sites
/// are.
final class ProcessHeap {
  let process: TracedProcess
  let mode: HeapProfile.Mode
  private(set) var clock: EventClock
  let engine: UnsafeMutablePointer<HeapEngine>
  /// By slot.
  private(set) var threads: [Int: UnsafeMutablePointer<TrackedThread>] = [:]
  private(set) var siteKeys: [SiteKey] = [SiteKey(kind: .block, stack: nil)]
  private var sitesByKey: [SiteKey: UInt32] = [SiteKey(kind: .block, stack: nil): 0]
  /// Sites whose stack has no beginning.
  private(set) var truncatedSites: Set<UInt32> = []
  private let resolver: StackResolver
  private var stacks = StackTable()
  /// The generation whose stacks the table holds.
  private var stacksGeneration: UInt32 = 0
  private var ranges = MappedRanges()
  private var programBreak = ProgramBreak()
  private var merge = EventMerge()
  private var nextThread: UInt32 = 0
  private var frames = [UInt64](repeating: 0, count: Int(QPROF_MAX_FRAMES))

  /// Of threads that have ended.
  private(set) var endedTotals = HeapRing.Totals()
  private(set) var threadSums: [ID<ThreadInfo>: HeapThread] = [:]
  /// By slot.
  private(set) var threadIDs: [Int: ID<ThreadInfo>] = [:]
  /// When the resident memory was largest.
  private(set) var residency: HeapResidency?
  private var largestResident: Int64 = 0

  /// Length of a step of the timeline at first, in nanoseconds.
  private static let firstStep: Int64 = 1_000_000

  struct SiteKey: Hashable {
    var kind: HeapSite.Kind
    var stack: ID<StackNode>?
  }

  init(
    _ process: TracedProcess, resolver: StackResolver, mode: HeapProfile.Mode, clock: EventClock
  ) {
    self.process = process
    self.resolver = resolver
    self.mode = mode
    self.clock = clock
    var weights: Weights?
    if case .sample(let interval) = mode { weights = Weights(interval: Double(interval.rawValue)) }
    engine = .allocate(capacity: 1)
    engine.initialize(
      to: HeapEngine(weights: weights, timelineWidth: clock.ticks(Self.firstStep)))
  }

  deinit {
    merge.free()
    engine.pointee.free()
    engine.deallocate()
    for thread in threads.values {
      thread.pointee.free()
      thread.deallocate()
    }
  }

  func open(_ ring: HeapRing, id: ID<ThreadInfo>) {
    let thread = UnsafeMutablePointer<TrackedThread>.allocate(capacity: 1)
    thread.initialize(to: TrackedThread(number: nextThread, ring: ring))
    nextThread &+= 1
    threads[ring.slot] = thread
    threadIDs[ring.slot] = id
  }

  /// The thread is gone: only its sums are kept.
  func end(_ ring: HeapRing) {
    guard let thread = threads.removeValue(forKey: ring.slot),
      let id = threadIDs.removeValue(forKey: ring.slot)
    else { return }
    thread.pointee.ring = ring
    endedTotals += ring.totals
    threadSums[id, default: HeapThread(thread: id)].add(row(of: thread.pointee, id))
    thread.pointee.free()
    thread.deallocate()
  }

  /// Tells how long a tick is, and what time it is for events that do not tell.
  func setClock(_ clock: EventClock) {
    self.clock = clock
    engine.pointee.setClock(clock)
  }

  /// Looks at the memory of the process from outside.
  /// - Parameter now: since the recording began.
  func visit(_ clock: EventClock, now: Nanoseconds, facts: () -> HeapFacts) {
    guard let resident = process.residentBytes() else { return }
    engine.pointee.timeline.see(resident: resident, at: clock.eventTime)
    guard resident > largestResident, let parts = process.residentParts() else { return }
    largestResident = resident
    let facts = facts()
    var residency = HeapResidency()
    residency.time = now
    residency.anonymous = Bytes(parts.anonymous)
    residency.file = Bytes(parts.file)
    residency.shared = Bytes(parts.shared)
    residency.heap = Bytes(engine.pointee.live.bytes)
    residency.agent = Bytes(facts.agentBytes)
    residency.rings = Bytes(facts.ringBytes)
    self.residency = residency
  }
}

// MARK: - Draining

extension ProcessHeap {
  /// Takes the events of all `rings` that are before `horizon`, in their order.
  /// - Returns: the number of rings that could not be read on, and were emptied.
  func drain(_ rings: [HeapRing], before horizon: UInt64) -> Int {
    var bad = 0
    merge.removeAll()
    for ring in rings where ring.head != ring.tail {
      guard let thread = threads[ring.slot] else { continue }
      thread.pointee.ring = ring
      thread.pointee.position = ring.tail
      thread.pointee.published = ring.tail
      merge.add(thread)
    }
    while let next = merge.next, next.time < horizon {
      // At least the next event, even if another thread has one of the same time.
      let limit = min(horizon, max(merge.timeAfterNext, next.time &+ 1))
      merge.replaceNext(time: advance(next.thread, before: limit, &bad))
    }
    for ring in rings { threads[ring.slot]?.pointee.publish() }
    return bad
  }

  /// - Returns: the time of the thread's next event, or that of none.
  private func advance(
    _ thread: UnsafeMutablePointer<TrackedThread>, before limit: UInt64, _ bad: inout Int
  ) -> UInt64 {
    while true {
      switch engine.pointee.run(thread, before: limit) {
      case .empty: return EventMerge.never
      case .later(let time): return time
      case .chunk: thread.pointee.publish()
      case .record:
        switch readRecord(thread, before: limit) {
        case .done: break
        case .later(let time): return time
        case .bad:
          bad += 1
          thread.pointee.drop()
          return EventMerge.never
        }
      case .bad:
        bad += 1
        thread.pointee.drop()
        return EventMerge.never
      }
    }
  }
}

// MARK: - Records

extension ProcessHeap {
  private enum Outcome {
    case done
    case later(UInt64)
    case bad
  }

  private func readRecord(
    _ thread: UnsafeMutablePointer<TrackedThread>, before limit: UInt64
  ) -> Outcome {
    let position = thread.pointee.position
    let offset = Int(position % UInt64(QPROF_RING_SIZE))
    let start = thread.pointee.ring.bytes + offset
    let size = Int(start.load(as: UInt32.self))
    guard size >= 8, size.isMultiple(of: 8), size <= Int(QPROF_RING_SIZE) - offset,
      UInt64(size) <= thread.pointee.ring.head &- position
    else { return .bad }
    let record = UnsafeRawBufferPointer(start: start, count: size)
    let kind = UInt32(start.load(fromByteOffset: 4, as: UInt16.self))
    let outcome: Outcome
    if kind == QPROF_RECORD_PAD.rawValue {
      outcome = .done
    } else if size < MemoryLayout<qprof_record>.size {
      outcome = .bad
    } else {
      outcome = read(record, kind: kind, thread, before: limit)
    }
    if case .done = outcome { thread.pointee.position = position &+ UInt64(size) }
    return outcome
  }

  private func read(
    _ record: UnsafeRawBufferPointer, kind: UInt32,
    _ thread: UnsafeMutablePointer<TrackedThread>, before limit: UInt64
  ) -> Outcome {
    let header = record.load(as: qprof_record.self)
    switch kind {
    case QPROF_RECORD_STACK.rawValue: return readStack(record, header, thread)
    case QPROF_RECORD_REGION.rawValue: return readRegion(record, header, thread, before: limit)
    case QPROF_RECORD_SAMPLE.rawValue:
      guard let sample = RawSample(record) else { return .bad }
      let (stack, isTruncated) = resolver.node(of: sample, process)
      thread.pointee.copiedSite = site(.block, stack, isTruncated: isTruncated)
      return .done
    case QPROF_RECORD_MAPS.rawValue:
      let fixed = MemoryLayout<qprof_record>.size
      guard Int(header.payload) <= record.count - fixed else { return .bad }
      let text = UnsafeRawBufferPointer(rebasing: record[fixed..<fixed + Int(header.payload)])
      resolver.update(process, maps: text, in: header.weight)
      return .done
    default: return .bad
    }
  }

  private func readStack(
    _ record: UnsafeRawBufferPointer, _ header: qprof_record,
    _ thread: UnsafeMutablePointer<TrackedThread>
  ) -> Outcome {
    let fixed = MemoryLayout<qprof_stack_record>.size
    let count = Int(header.payload)
    guard record.count >= fixed, count <= Int(QPROF_MAX_FRAMES), fixed + count * 8 <= record.count
    else { return .bad }
    let index = record.load(fromByteOffset: 24, as: UInt32.self)
    let generation = record.load(fromByteOffset: 28, as: UInt32.self)
    guard index < QPROF_STACK_COPIED else { return .bad }
    let ending = UInt32(header.flags)
    // A copy: the process may still write where it is read.
    let site = frames.withUnsafeMutableBufferPointer { frames in
      for frame in 0..<count {
        frames[frame] = record.load(fromByteOffset: fixed + frame * 8, as: UInt64.self)
      }
      return self.site(
        of: UnsafeBufferPointer(rebasing: frames[..<count]), ending: ending, generation: generation)
    }
    thread.pointee.setSite(site, of: Int(index))
    return .done
  }

  private func site(
    of frames: UnsafeBufferPointer<UInt64>, ending: UInt32, generation: UInt32
  ) -> UInt32 {
    if generation > stacksGeneration {
      stacks.removeAll()
      stacksGeneration = generation
    }
    // Stacks of an older generation are few: from threads that have not noticed the new one.
    let isKept = generation == stacksGeneration
    let hash = StackTable.hash(frames, ending: ending)
    if isKept, let known = stacks.site(frames, ending: ending, hash: hash) { return known }
    let node = resolver.node(of: frames, ending: ending, generation: generation, process)
    let site = self.site(
      .block, node, isTruncated: ending != UInt32(QPROF_STACK_COMPLETE.rawValue))
    if isKept { stacks.insert(frames, ending: ending, hash: hash, site: site) }
    return site
  }

  private func site(
    _ kind: HeapSite.Kind, _ stack: ID<StackNode>?, isTruncated: Bool
  ) -> UInt32 {
    let key = SiteKey(kind: kind, stack: stack)
    if let known = sitesByKey[key] { return known }
    let site = engine.pointee.addSite()
    siteKeys.append(key)
    sitesByKey[key] = site
    if isTruncated { truncatedSites.insert(site) }
    return site
  }
}

// MARK: - Regions

extension ProcessHeap {
  private func readRegion(
    _ record: UnsafeRawBufferPointer, _ header: qprof_record,
    _ thread: UnsafeMutablePointer<TrackedThread>, before limit: UInt64
  ) -> Outcome {
    guard record.count >= MemoryLayout<qprof_region_record>.size else { return .bad }
    let region = record.load(as: qprof_region_record.self)
    guard region.time < limit else { return .later(region.time) }
    let block =
      Int(truncatingIfNeeded: region.stack) < thread.pointee.siteCount && region.stack < 65536
      ? Int(thread.pointee.sites[Int(region.stack)]) : 0
    switch UInt32(header.flags) {
    case QPROF_REGION_MAPPED.rawValue:
      let site = self.site(of: block, .mapping)
      let (removed, bytes) = ranges.map(region.address, region.length, site: site)
      take(removed)
      if bytes > 0 { engine.pointee.add(HeapAmount(count: 1, bytes: bytes), to: site) }
    case QPROF_REGION_UNMAPPED.rawValue: take(ranges.unmap(region.address, region.length))
    case QPROF_REGION_BREAK.rawValue:
      let bytes = min(max(Int64(bitPattern: region.length), -1 << 47), 1 << 47)
      let site = self.site(of: block, .programBreak)
      take(programBreak.move(by: bytes, site: site))
      if bytes > 0 { engine.pointee.add(HeapAmount(count: 1, bytes: bytes), to: site) }
    default: return .bad
    }
    return .done
  }

  /// The site with the stack of the site `block`, for another kind of memory.
  private func site(of block: Int, _ kind: HeapSite.Kind) -> UInt32 {
    site(kind, siteKeys[block].stack, isTruncated: truncatedSites.contains(UInt32(block)))
  }

  private func take(_ removals: [MappedRanges.Removal]) {
    for removal in removals {
      engine.pointee.remove(
        HeapAmount(count: removal.calls, bytes: removal.bytes), from: removal.site)
    }
  }
}
