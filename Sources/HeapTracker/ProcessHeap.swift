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
  var siteKeys: [SiteKey] = [SiteKey(kind: .block, stack: nil)]
  var sitesByKey: [SiteKey: UInt32] = [SiteKey(kind: .block, stack: nil): 0]
  /// Sites whose stack has no beginning.
  var truncatedSites: Set<UInt32> = []
  let resolver: StackResolver
  var stacks = StackTable()
  /// The generation whose stacks the table holds.
  var stacksGeneration: UInt32 = 0
  var ranges = MappedRanges()
  var programBreak = ProgramBreak()
  private var merge = EventMerge()
  private var nextThread: UInt32 = 0
  var frames = [UInt64](repeating: 0, count: Int(QPROF_MAX_FRAMES))

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
