import CAgentWire
import Synchronization

/// One record of a ring. Pointers are valid only during the call that hands it out.
enum RingRecord {
  case sample(RawSample)
  /// Lines as in `/proc/self/maps`, of the executable mappings.
  case maps(UnsafeRawBufferPointer)
}

/// A thread's registers and stack at one tick, as the signal handler copied them.
package struct RawSample {
  package struct Segment {
    var address: UInt64 = 0
    var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  }
  /// `CLOCK_MONOTONIC`.
  package var time: Int64
  /// Periods of CPU time it stands for.
  package var weight: UInt32
  package var isCapped: Bool
  package var isUnreadable: Bool
  /// In DWARF order, see ``Register``.
  var registers: UnsafePointer<UInt64>
  var stack: (Segment, Segment)
}

/// DWARF numbers of the x86-64 registers that name a frame.
enum Register {
  static let rbp = 6
  static let rsp = 7
  static let rip = 16
}

/// Reads what a thread has written to its ring since the last time, and gives the room back.
struct RingReader {
  let session: SessionFile

  /// Bytes that wait to be read.
  func backlog(slot index: Int) -> UInt64 {
    let row = session.slot(index)
    return atomic(row, \.head).pointee.load(ordering: .relaxed) &- row.pointee.tail
  }

  /// Hands each new record to `body`, oldest first.
  /// - Returns: whether the ring could be read; when it could not, its contents are dropped.
  func drain(slot index: Int, _ body: (RingRecord) -> Void) -> Bool {
    let row = session.slot(index)
    let head = atomic(row, \.head).pointee.load(ordering: .acquiring)
    var tail = row.pointee.tail
    defer { atomic(row, \.tail).pointee.store(head, ordering: .releasing) }
    guard head &- tail <= UInt64(QPROF_RING_SIZE), tail.isMultiple(of: 8) else { return false }
    while tail != head {
      guard
        let size = read(
          slot: index, at: Int(tail % UInt64(QPROF_RING_SIZE)), limit: head &- tail, body)
      else { return false }
      tail &+= size
    }
    return true
  }

  /// Size of the record at `position`, which lies within the ring and within `limit`, or nil.
  private func read(
    slot: Int, at position: Int, limit: UInt64, _ body: (RingRecord) -> Void
  ) -> UInt64? {
    let toEnd = Int(QPROF_RING_SIZE) - position
    let start = session.ring(slot) + position
    // A pad at the very end has room for its first eight bytes only.
    guard toEnd >= 8 else { return nil }
    let size = Int(start.load(as: UInt32.self))
    let kind = UInt32(start.load(fromByteOffset: 4, as: UInt16.self))
    guard size >= 8, size.isMultiple(of: 8), size <= toEnd, UInt64(size) <= limit else {
      return nil
    }
    let record = UnsafeRawBufferPointer(start: start, count: size)
    switch kind {
    case QPROF_RECORD_PAD.rawValue: break
    case QPROF_RECORD_SAMPLE.rawValue:
      guard let sample = RawSample(record) else { return nil }
      body(.sample(sample))
    case QPROF_RECORD_MAPS.rawValue:
      guard let maps = maps(record) else { return nil }
      body(maps)
    default: return nil
    }
    return UInt64(size)
  }

  private func maps(_ record: UnsafeRawBufferPointer) -> RingRecord? {
    let fixed = MemoryLayout<qprof_record>.size
    guard record.count >= fixed else { return nil }
    let header = record.load(as: qprof_record.self)
    guard Int(header.payload) <= record.count - fixed else { return nil }
    let text = UnsafeRawBufferPointer(rebasing: record[fixed..<fixed + Int(header.payload)])
    return .maps(text)
  }
}

extension RawSample {
  /// Reads a whole `QPROF_RECORD_SAMPLE`; nil when its parts do not fit it.
  package init?(_ record: UnsafeRawBufferPointer) {
    let fixed = MemoryLayout<qprof_sample>.size
    guard record.count >= fixed, let start = record.baseAddress else { return nil }
    let sample = record.load(as: qprof_sample.self)
    let (first, second) = sample.segments
    let room = UInt64(record.count - fixed)
    guard first.size <= room, second.size <= room - first.size else { return nil }
    let data = start + fixed
    let flags = UInt32(sample.record.flags)
    time = sample.record.time_ns
    weight = sample.record.weight
    isCapped = flags & QPROF_FLAG_CAPPED.rawValue != 0
    isUnreadable = flags & QPROF_FLAG_UNREADABLE.rawValue != 0
    registers = (start + MemoryLayout<qprof_record>.size).assumingMemoryBound(to: UInt64.self)
    stack = (
      Segment(
        address: first.address,
        bytes: UnsafeRawBufferPointer(start: data, count: Int(first.size))),
      Segment(
        address: second.address,
        bytes: UnsafeRawBufferPointer(start: data + Int(first.size), count: Int(second.size)))
    )
  }
}
