import CAgentWire
import ProfileModel
import Synchronization

/// What the recorder remembers of tracked threads from round to round.
struct HeapRounds {
  /// One slot with a ring of events.
  struct Tracked {
    /// The event that the thread was in at the last look, and since when (`CLOCK_MONOTONIC`).
    var inFlight: UInt64?
    var seenInFlight: Int64 = 0
  }
  var tracked: [Int: Tracked] = [:]
  /// Slots whose thread has ended without saying so.
  var endedUnseen: Set<Int> = []
  /// Until the next round.
  private(set) var pause = Nanoseconds(1_000_000)
  private var lastRound: Int64 = 0

  private static let shortestPause = Nanoseconds(50_000)
  private static let impatientPause = Nanoseconds(200_000)
  private static let longestPause = Nanoseconds(10_000_000)
  /// A round finds this much of a ring filled at most, if the thread goes on writing as it did.
  private static let comfortable = Double(QPROF_RING_SIZE) / 4

  /// Chooses the pause before the next round.
  /// - Parameters:
  ///   - taken: bytes of the ring from which most was taken.
  ///   - left: bytes of the ring that holds most, because a thread in an event holds it back.
  mutating func plan(taken: UInt64, left: UInt64, now: Int64) {
    let time = Double(now - lastRound)
    lastRound = now
    if Double(left) > Self.comfortable {
      pause = Self.impatientPause
      return
    }
    guard taken > 0 else {
      pause = max(
        Self.shortestPause, min(Nanoseconds(pause.rawValue * 2), Self.longestPause))
      return
    }
    // A full ring does not tell how fast it was filled.
    let isFull = taken > UInt64(QPROF_RING_SIZE) * 3 / 4
    pause =
      isFull
      ? Nanoseconds(0)
      : max(
        Nanoseconds(Int64(min(time * Self.comfortable / Double(taken), 1e6))), Self.shortestPause)
  }

  /// A thread longer in an event than this is stopped, and does not hold the others up.
  static let patience: Int64 = 1_000_000_000

  /// The ring of a process's thread in this round.
  struct Entry {
    var ring: HeapRing
    var isEnded: Bool
  }
}

extension CaptureSession {
  /// Hands over what all tracked threads have written before `horizon`, as far as none of the
  /// same process still writes at an earlier time.
  func drainHeaps(before horizon: UInt64) {
    var entries: [Int: [HeapRounds.Entry]] = [:]
    var horizons: [Int: UInt64] = [:]
    let now = Syscalls.monotonicNow()
    for index in 0..<file.slotsReady {
      let slot = file.slot(index)
      guard isHeap(slot) else { continue }
      let state = atomic(slot, \.state).pointee.load(ordering: .acquiring)
      guard state == QPROF_SLOT_LIVE.rawValue || state == QPROF_SLOT_DEAD.rawValue,
        let process = byRow[Int(slot.pointee.process)]
      else { continue }
      var ring = HeapRing(slot: index, row: slot, bytes: file.ring(index))
      let isEnded = state == QPROF_SLOT_DEAD.rawValue || heap.endedUnseen.contains(index)
      open(ring, of: process)
      // What the thread writes after this look is not before what it says here.
      let limit = isEnded ? nil : inFlight(ring, now)
      if let limit { horizons[process.row] = min(horizons[process.row] ?? horizon, limit) }
      if !ring.look() { drop(ring) }
      entries[process.row, default: []].append(HeapRounds.Entry(ring: ring, isEnded: isEnded))
    }
    var most: UInt64 = 0
    var left: UInt64 = 0
    for (row, entries) in entries {
      guard let process = byRow[row] else { continue }
      let taken = take(entries, of: process, before: horizons[row] ?? horizon, isOver: false)
      most = max(most, taken)
      for entry in entries {
        left = max(left, entry.ring.head &- file.slot(entry.ring.slot).pointee.tail)
      }
    }
    heap.plan(taken: most, left: left, now: now)
  }

  /// Hands over all that is left of a process that is gone.
  func finishHeap(of process: TracedProcess) {
    var entries: [HeapRounds.Entry] = []
    for index in 0..<file.slotsReady {
      let slot = file.slot(index)
      guard isHeap(slot), Int(slot.pointee.process) == process.row,
        atomic(slot, \.state).pointee.load(ordering: .acquiring) != QPROF_SLOT_FREE.rawValue
      else { continue }
      var ring = HeapRing(slot: index, row: slot, bytes: file.ring(index))
      open(ring, of: process)
      if !ring.look() { drop(ring) }
      entries.append(HeapRounds.Entry(ring: ring, isEnded: true))
    }
    _ = take(entries, of: process, before: .max, isOver: true)
  }

  private func open(_ ring: HeapRing, of process: TracedProcess) {
    guard heap.tracked[ring.slot] == nil else { return }
    heap.tracked[ring.slot] = HeapRounds.Tracked()
    for consumer in consumers { consumer.opened(ring, of: process) }
  }

  /// The time that the thread's next event is not before, unless it has been so for too long.
  private func inFlight(_ ring: HeapRing, _ now: Int64) -> UInt64? {
    guard let since = ring.inFlightSince, let tracked = heap.tracked[ring.slot] else { return nil }
    if tracked.inFlight != since {
      heap.tracked[ring.slot] = HeapRounds.Tracked(inFlight: since, seenInFlight: now)
    } else if now - tracked.seenInFlight > HeapRounds.patience {
      return nil
    }
    return clock.isCounted ? since &+ 1 : since
  }

  private func drop(_ ring: HeapRing) {
    ring.drop()
    losses.add(.badRecord, events: 1)
  }

  /// - Returns: bytes of the ring from which most was taken.
  private func take(
    _ entries: [HeapRounds.Entry], of process: TracedProcess, before horizon: UInt64, isOver: Bool
  ) -> UInt64 {
    if entries.contains(where: { $0.ring.head != $0.ring.tail }) {
      let rings = entries.map(\.ring)
      for consumer in consumers {
        let bad = consumer.drain(rings, of: process, before: horizon, isOver: isOver)
        losses.add(.badRecord, events: Int64(bad))
      }
    }
    var most: UInt64 = 0
    for entry in entries {
      let tail = file.slot(entry.ring.slot).pointee.tail
      most = max(most, tail &- entry.ring.tail)
      if entry.isEnded, isOver || tail == entry.ring.head { close(entry.ring, of: process) }
    }
    if most > 0 { process.hadSamples = true }
    return most
  }

  private func close(_ ring: HeapRing, of process: TracedProcess) {
    for consumer in consumers { consumer.closed(ring, of: process) }
    heap.tracked[ring.slot] = nil
    heap.endedUnseen.remove(ring.slot)
    file.freeSlot(ring.slot)
  }
}

// MARK: - What consumers ask

extension CaptureSession {
  /// The mappings in which a stack of `generation` is looked up.
  package func addresses(of process: TracedProcess, in generation: UInt32) -> AddressSpace {
    if generation > process.generation { followMappings(of: process) }
    return process.addresses(in: generation)
  }

  /// Takes in mappings that the process itself has told, as they were in `generation`.
  package func update(
    _ process: TracedProcess, maps text: UnsafeRawBufferPointer, in generation: UInt32
  ) {
    let entries = parseMaps(text)
    if generation > process.generation { followMappings(of: process) }
    guard generation < process.generation else {
      update(process, entries)
      return
    }
    var addresses = process.addresses(in: generation)
    _ = addresses.update(entries, pid: process.pid, images: images)
    process.setAddresses(addresses, in: generation)
  }

  /// The program defines malloc itself, and its calls do not reach the agent.
  package func definesMalloc(_ process: TracedProcess) -> Bool {
    atomic(file.process(process.row), \.heap_flags).pointee.load(ordering: .relaxed)
      & QPROF_HEAP_FOREIGN.rawValue != 0
  }

  /// What the agent and the session know of a process's memory.
  package func heapFacts(of process: TracedProcess) -> HeapFacts {
    let row = file.process(process.row)
    var facts = HeapFacts()
    facts.agentBytes = Int64(clamping: atomic(row, \.agent_bytes).pointee.load(ordering: .relaxed))
    for index in 0..<file.slotsReady {
      let slot = file.slot(index)
      guard slot.pointee.state != QPROF_SLOT_FREE.rawValue,
        Int(slot.pointee.process) == process.row
      else { continue }
      facts.ringBytes += Int64(min(slot.pointee.head, UInt64(QPROF_RING_SIZE)))
    }
    return facts
  }
}

package struct HeapFacts: Hashable, Sendable {
  package var agentBytes: Int64 = 0
  /// Of the rings of its threads, what was ever written.
  package var ringBytes: Int64 = 0
  package init() {}
}
