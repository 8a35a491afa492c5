import CAgentWire
import CLinux
import Synchronization

/// The ring of one thread whose allocations are tracked, as one round of the recorder sees it.
package struct HeapRing {
  package let slot: Int
  package let tid: Int32
  /// `QPROF_RING_SIZE` bytes, which the thread may write at any time outside `tail..<head`.
  package let bytes: UnsafeRawPointer
  /// Bytes written and read since the thread began; what is between them is to be read.
  package internal(set) var head: UInt64
  package let tail: UInt64
  private let row: UnsafeMutablePointer<qprof_slot>

  /// Between two looks at what the thread does.
  init(slot: Int, row: UnsafeMutablePointer<qprof_slot>, bytes: UnsafeRawPointer) {
    self.slot = slot
    self.row = row
    self.bytes = bytes
    tid = row.pointee.tid
    tail = row.pointee.tail
    head = tail
  }

  /// Gives the thread the room up to `tail` back, and wakes it if it waits for room.
  package func advance(to tail: UInt64) {
    atomic(row, \.tail).pointee.store(tail, ordering: .releasing)
    // The thread says that it waits and then looks at `tail`; this is the other way round.
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    guard atomic(row, \.waiting).pointee.load(ordering: .relaxed) != 0 else { return }
    let drained = atomic(row, \.drained)
    drained.pointee.wrappingAdd(1, ordering: .releasing)
    qprof_wake(UnsafeMutableRawPointer(drained).assumingMemoryBound(to: UInt32.self))
  }

  /// What the thread itself has counted so far.
  package struct Totals {
    package var allocations: Int64 = 0
    package var bytes: Int64 = 0
    package var frees: Int64 = 0
    package var failed: Int64 = 0
    package var reentrant: Int64 = 0
    package var lost: Int64 = 0
    package init() {}

    package static func += (a: inout Totals, b: Totals) {
      a.allocations &+= b.allocations
      a.bytes &+= b.bytes
      a.frees &+= b.frees
      a.failed &+= b.failed
      a.reentrant &+= b.reentrant
      a.lost &+= b.lost
    }
  }

  package var totals: Totals {
    func count(_ field: KeyPath<qprof_slot, UInt64>) -> Int64 {
      let largest: UInt64 = 1 << 60  // sums of a few stay in range, whatever the process wrote
      return Int64(min(atomic(row, field).pointee.load(ordering: .relaxed), largest))
    }
    var totals = Totals()
    totals.allocations = count(\.allocations)
    totals.bytes = count(\.bytes)
    totals.frees = count(\.frees)
    totals.failed = count(\.failed)
    totals.reentrant = count(\.reentrant)
    totals.lost = min(count(\.lost) + count(\.full_events) + count(\.unfollowed), 1 << 60)
    return totals
  }
}

extension HeapRing {
  /// A time before which no event of the thread is still to come; nil when it is in none.
  var inFlightSince: UInt64? {
    let time = atomic(row, \.in_flight_since).pointee.load(ordering: .acquiring)
    return time == 0 ? nil : time
  }

  /// Looks at what the thread has written by now.
  /// - Returns: whether that can be.
  mutating func look() -> Bool {
    let now = atomic(row, \.head).pointee.load(ordering: .acquiring)
    guard now &- tail <= UInt64(QPROF_RING_SIZE), tail.isMultiple(of: 8), now.isMultiple(of: 8)
    else { return false }
    head = now
    return true
  }

  /// Passes over all that the thread has written.
  func drop() { advance(to: atomic(row, \.head).pointee.load(ordering: .acquiring)) }
}
