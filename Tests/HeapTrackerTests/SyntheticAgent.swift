import CAgentWire
import ProfileModel
import Synchronization

@testable import Capture
@testable import HeapTracker

/// A session and the rows and rings that agents would write, all in this process: the tests play
/// both sides.
final class SyntheticAgent {
  let session: CaptureSession
  let rows: ProfileRows
  let tracker: HeapTracker
  private(set) var threads: [SyntheticThread] = []
  private var images: UInt32 = 0

  init(_ mode: HeapProfile.Mode = .full, isCounted: Bool = false) throws {
    session = try CaptureSession(
      CaptureOptions(period: nil, heap: mode), clock: EventClock(isCounted: isCounted))
    rows = ProfileRows(start: Nanoseconds(session.clock.start))
    session.attach(rows)
    tracker = HeapTracker(session: session, rows: rows)
  }

  /// - Parameter pid: of a process that runs, or the recorder takes it for ended at once.
  /// - Returns: the row of a new process.
  @discardableResult
  func startProcess(pid: Int32 = Syscalls.ownPID(), parentImage: UInt32 = 0) -> Int {
    let row = Int(images)
    images += 1
    let fields = session.file.process(row)
    fields.pointee.pid = pid
    fields.pointee.image = images
    fields.pointee.parent_image = parentImage
    fields.pointee.start_ns = Syscalls.monotonicNow()
    atomic(fields, \.state).pointee.store(QPROF_PROCESS_LIVE.rawValue, ordering: .releasing)
    atomic(session.file.header, \.images).pointee.store(images, ordering: .releasing)
    return row
  }

  func startThread(in row: Int = 0) -> SyntheticThread {
    let free = (0..<session.file.slotsReady).first {
      session.file.slot($0).pointee.state == QPROF_SLOT_FREE.rawValue
    }
    let thread = SyntheticThread(session.file, slot: free ?? 0, process: row)
    threads.append(thread)
    return thread
  }

  /// The number by which a stack was told that has one frame, `0x1000 + 16 * number`, at its leaf.
  func number(of stack: ID<StackNode>?) -> Int {
    guard let stack,
      case .unmapped(let address) = rows.profile.locations[
        rows.profile.stacks[stack].location
      ].place
    else { return -1 }
    return Int(address.rawValue + 1 - 0x1000) / 16
  }

  /// One round, late enough for all that was written before it.
  func poll() {
    guard !session.clock.isCounted else {
      _ = session.poll(isEnding: true)
      return
    }
    while session.clock.eventTime < SyntheticThread.latest + 200_000 {}
    _ = session.poll(isEnding: true)
  }

  /// Ends the recording.
  func finish() -> HeapProfile {
    session.finish()
    session.willWrite()
    return rows.profile.heap ?? HeapProfile(mode: .full)
  }

  func heap() -> HeapProfile {
    session.willWrite()
    return rows.profile.heap ?? HeapProfile(mode: .full)
  }
}

/// A thread's ring, written as the agent does.
final class SyntheticThread {
  let slot: UnsafeMutablePointer<qprof_slot>
  private let ring: UnsafeMutableRawPointer
  private(set) var head: UInt64 = 0
  /// The latest time that any event of a test has.
  static let latest: UInt64 = 1_000_000

  init(_ file: SessionFile, slot index: Int, process: Int) {
    slot = file.slot(index)
    ring = file.ring(index)
    slot.pointee = qprof_slot()
    slot.pointee.kind = QPROF_SLOT_HEAP.rawValue
    slot.pointee.process = UInt32(process)
    slot.pointee.tid = Syscalls.ownPID()
    atomic(slot, \.state).pointee.store(QPROF_SLOT_LIVE.rawValue, ordering: .releasing)
  }

  func setHead(_ position: UInt64) { head = position }
  var room: UInt64 { UInt64(QPROF_RING_SIZE) - (head - slot.pointee.tail) }

  func put(_ words: UInt64...) { put(words) }

  func put(_ words: [UInt64]) {
    for word in words {
      ring.storeBytes(
        of: word, toByteOffset: Int(head % UInt64(QPROF_RING_SIZE)), as: UInt64.self)
      head += 8
    }
    atomic(slot, \.head).pointee.store(head, ordering: .releasing)
  }

  func allocate(_ time: UInt64, _ address: UInt64, _ size: UInt64, stack: UInt64 = 0) {
    put(time << 3 | UInt64(QPROF_EVENT_ALLOCATE.rawValue), address | stack << 48, size)
  }
  func free(_ time: UInt64, _ address: UInt64) {
    put(time << 3 | UInt64(QPROF_EVENT_FREE.rawValue), address)
  }
  func freeLast() { put(UInt64(QPROF_EVENT_FREE_LAST.rawValue)) }
  func undoFree(_ address: UInt64) { put(UInt64(QPROF_EVENT_UNDO_FREE.rawValue), address) }

  /// - Parameter ending: of `qprof_stack_ending`.
  func tell(
    _ index: UInt64, _ frames: [UInt64], ending: UInt64 = 0, generation: UInt64 = 0
  ) {
    let size = UInt64(32 + frames.count * 8)
    record(
      [
        size | UInt64(QPROF_RECORD_STACK.rawValue) << 32 | ending << 48, UInt64(frames.count), 0,
        index | generation << 32,
      ] + frames)
  }

  /// - Parameter event: of `qprof_region_event`.
  func region(
    _ event: qprof_region_event, _ time: UInt64, _ address: UInt64, _ length: UInt64,
    stack: UInt64 = 0
  ) {
    record([
      56 | UInt64(QPROF_RECORD_REGION.rawValue) << 32 | UInt64(event.rawValue) << 48, 0, 0, time,
      address, length, stack,
    ])
  }

  /// - Parameter text: lines of `/proc/self/maps`.
  func maps(_ text: String, generation: UInt64) {
    var bytes = Array(text.utf8)
    let payload = UInt64(bytes.count)
    while bytes.count % 8 != 0 { bytes.append(0) }
    let words = bytes.withUnsafeBytes { Array($0.bindMemory(to: UInt64.self)) }
    record(
      [
        UInt64(24 + bytes.count) | UInt64(QPROF_RECORD_MAPS.rawValue) << 32,
        payload | generation << 32, 0,
      ] + words)
  }

  /// A record with a header does not cross the end of the ring.
  func record(_ words: [UInt64]) {
    let toEnd = UInt64(QPROF_RING_SIZE) - head % UInt64(QPROF_RING_SIZE)
    if toEnd < UInt64(words.count * 8) {
      put(toEnd | UInt64(QPROF_RECORD_PAD.rawValue) << 32)
      head += toEnd - 8
    }
    put(words)
  }

  func setInFlight(since time: UInt64) {
    atomic(slot, \.in_flight_since).pointee.store(time, ordering: .releasing)
  }

  func end() {
    atomic(slot, \.state).pointee.store(QPROF_SLOT_DEAD.rawValue, ordering: .releasing)
  }
}
