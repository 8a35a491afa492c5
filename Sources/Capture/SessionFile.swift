import CAgentWire
import ProfileModel
import Synchronization

/// The recorder's side of the session file: creates, allocates and maps it, and hands out its rows.
///
/// The layout is that of `agent_wire.h`. What agents write is untrusted: indices and sizes read
/// from the file are checked before use.
final class SessionFile {
  let folder: String
  let path: String
  private let file: Int32
  private let base: UnsafeMutableRawPointer

  static let mapSize =
    ringsOffset + Int(QPROF_MAX_SLOTS) * Int(QPROF_RING_SIZE)
  private static let processesOffset = Int(QPROF_PAGE)
  private static let slotsOffset =
    processesOffset + Int(QPROF_MAX_PROCESSES) * MemoryLayout<qprof_process>.stride
  private static let ringsOffset =
    slotsOffset + Int(QPROF_MAX_SLOTS) * MemoryLayout<qprof_slot>.stride

  /// Rings that exist from the start, and by how many more exist when fewer are free.
  private static let initialSlots = 128

  init(_ options: CaptureOptions, clock: EventClock) throws(CaptureError) {
    var tried: [String] = []
    for parent in Self.candidateFolders() {
      switch Self.create(in: parent) {
      case .failure(let failure):
        tried.append("\(parent) (\(errnoText(failure.number)))")
      case .success(let made):
        (folder, path, file, base) = made
        fillIn(options, clock)
        return
      }
    }
    throw .noRoomForSession(tried: tried)
  }

  private static func candidateFolders() -> [String] {
    let candidates = [Syscalls.environment("XDG_RUNTIME_DIR") ?? "", "/dev/shm", "/tmp"]
    return candidates.filter { $0.hasPrefix("/") }
  }

  private static func create(in parent: String) -> Result<
    (String, String, Int32, UnsafeMutableRawPointer), Syscalls.ErrnoFailure
  > {
    removeAbandoned(in: parent)
    return Syscalls.makePrivateFolder(in: parent).flatMap { folder in
      // The file gets its name when it is locked: an unlocked `session` is an abandoned one.
      let path = folder + "/session"
      let file = Syscalls.createFile(path + ".new")
      var failure: Int32 = file < 0 ? Syscalls.lastError() : 0
      if failure == 0 {
        failure = Syscalls.allocate(
          file, offset: 0, length: ringsOffset + initialSlots * Int(QPROF_RING_SIZE))
      }
      if failure == 0, Syscalls.lock(file), Syscalls.rename(path + ".new", to: path),
        let base = Syscalls.mapShared(file, length: mapSize)
      {
        return .success((folder, path, file, base))
      }
      if failure == 0 { failure = Syscalls.lastError() }
      if file >= 0 { Syscalls.closeFile(file) }
      Syscalls.remove(path + ".new")
      Syscalls.remove(path)
      Syscalls.removeFolder(folder)
      return .failure(Syscalls.ErrnoFailure(number: failure))
    }
  }

  /// A recorder that was killed leaves its folder behind. Its lock on the session is gone with it.
  private static func removeAbandoned(in parent: String) {
    for name in Syscalls.entries(of: parent) where name.hasPrefix("qprof-") {
      let folder = parent + "/" + name
      guard Syscalls.isOwnFolder(folder), let file = Syscalls.openOwn(folder + "/session")
      else { continue }
      if Syscalls.lock(file) {
        Syscalls.remove(folder + "/session")
        removeLinks(in: folder)
        Syscalls.removeFolder(folder)
      }
      Syscalls.closeFile(file)
    }
  }

  private func fillIn(_ options: CaptureOptions, _ clock: EventClock) {
    header.pointee.version = QPROF_WIRE_VERSION
    header.pointee.max_processes = QPROF_MAX_PROCESSES
    header.pointee.max_slots = QPROF_MAX_SLOTS
    header.pointee.ring_size = QPROF_RING_SIZE
    header.pointee.processes_offset = UInt64(Self.processesOffset)
    header.pointee.slots_offset = UInt64(Self.slotsOffset)
    header.pointee.rings_offset = UInt64(Self.ringsOffset)
    header.pointee.map_size = UInt64(Self.mapSize)
    header.pointee.period_ns = options.period?.rawValue ?? 0
    header.pointee.tick_ns = Syscalls.tickLength()
    header.pointee.recorder_pid = Syscalls.ownPID()
    header.pointee.clock_origin = clock.origin
    header.pointee.flags = Self.flags(options, clock)
    (header.pointee.heap_mode, header.pointee.heap_interval) = Self.mode(options.heap)
    beat()
    for index in (0..<Int(QPROF_MAX_PROCESSES)).reversed() { freeProcess(index) }
    offerSlots(0..<Self.initialSlots)
    header.pointee.magic = QPROF_WIRE_MAGIC
  }

  private static func removeLinks(in folder: String) {
    for kind in AgentLibrary.Kind.allCases { Syscalls.remove(folder + "/" + kind.rawValue) }
  }

  private static func flags(_ options: CaptureOptions, _ clock: EventClock) -> UInt32 {
    var flags: UInt32 = 0
    if options.period != nil { flags |= QPROF_SAMPLES_CPU.rawValue }
    if options.heap != nil { flags |= QPROF_TRACKS_HEAP.rawValue }
    if clock.isCounted { flags |= QPROF_ORDER_COUNTED.rawValue }
    return flags
  }

  private static func mode(_ mode: HeapProfile.Mode?) -> (UInt32, interval: UInt64) {
    switch mode {
    case nil: (0, 0)
    case .full: (QPROF_HEAP_FULL.rawValue, 0)
    case .sample(let interval): (QPROF_HEAP_SAMPLE.rawValue, UInt64(clamping: interval.rawValue))
    case .count: (QPROF_HEAP_COUNT.rawValue, 0)
    }
  }

  /// Unmaps and removes the file. Agents still running keep their mapping and find the stop word.
  func close() {
    Syscalls.remove(path)
    Self.removeLinks(in: folder)
    Syscalls.removeFolder(folder)
    Syscalls.unmap(base, length: Self.mapSize)
    Syscalls.closeFile(file)
  }
}

// MARK: - Rows

extension SessionFile {
  var header: UnsafeMutablePointer<qprof_session> {
    base.assumingMemoryBound(to: qprof_session.self)
  }

  func process(_ index: Int) -> UnsafeMutablePointer<qprof_process> {
    (base + Self.processesOffset).assumingMemoryBound(to: qprof_process.self) + index
  }

  func slot(_ index: Int) -> UnsafeMutablePointer<qprof_slot> {
    (base + Self.slotsOffset).assumingMemoryBound(to: qprof_slot.self) + index
  }

  func ring(_ index: Int) -> UnsafeMutableRawPointer {
    base + Self.ringsOffset + index * Int(QPROF_RING_SIZE)
  }

  var slotsReady: Int { Int(header.pointee.slots_ready) }

  func beat() {
    atomic(header, \.heartbeat_ns).pointee
      .store(UInt64(Syscalls.monotonicNow()), ordering: .relaxed)
  }

  func requestStop() { atomic(header, \.stop).pointee.store(1, ordering: .relaxed) }

  var forksBegun: UInt32 { atomic(header, \.forks_begun).pointee.load(ordering: .acquiring) }
  var forksPending: UInt32 { atomic(header, \.forks_pending).pointee.load(ordering: .acquiring) }

  var lastOrder: UInt64 { atomic(header, \.order).pointee.load(ordering: .acquiring) }
  var imagesAttached: UInt32 { atomic(header, \.images).pointee.load(ordering: .acquiring) }
}

// MARK: - Free lists

extension SessionFile {
  func freeProcess(_ index: Int) {
    let row = process(index)
    atomic(row, \.state).pointee.store(QPROF_PROCESS_FREE.rawValue, ordering: .releasing)
    push(index, on: atomic(header, \.free_processes)) { row.pointee.next_free = $0 }
  }

  func freeSlot(_ index: Int) {
    let row = slot(index)
    // From the start of the ring again, so that few of its pages are ever touched.
    row.pointee.head = 0
    row.pointee.tail = 0
    atomic(row, \.state).pointee.store(QPROF_SLOT_FREE.rawValue, ordering: .releasing)
    push(index, on: atomic(header, \.free_slots)) { row.pointee.next_free = $0 }
  }

  private func push(
    _ index: Int, on list: UnsafeMutablePointer<Atomic<UInt64>>, link: (UInt32) -> Void
  ) {
    var head = list.pointee.load(ordering: .acquiring)
    while true {
      link(UInt32(truncatingIfNeeded: head))
      let new = head & ~0xffff_ffff | UInt64(index + 1)
      let (done, seen) = list.pointee.weakCompareExchange(
        expected: head, desired: new, ordering: .acquiringAndReleasing)
      if done { return }
      head = seen
    }
  }

  private func offerSlots(_ range: Range<Int>) {
    atomic(header, \.slots_ready).pointee.store(UInt32(range.upperBound), ordering: .releasing)
    for index in range.reversed() { freeSlot(index) }
  }

  /// Allocates more rings when most are in use, as far as there is room. Nothing is lost when
  /// there is none: threads without a slot are counted.
  func growIfNeeded(slotsInUse: Int) {
    let ready = slotsReady
    let wanted = min(ready * 2, Int(QPROF_MAX_SLOTS))
    guard slotsInUse * 2 > ready, wanted > ready else { return }
    let ringSize = Int(QPROF_RING_SIZE)
    let failure = Syscalls.allocate(
      file, offset: Self.ringsOffset + ready * ringSize, length: (wanted - ready) * ringSize)
    if failure == 0 { offerSlots(ready..<wanted) }
  }
}

// MARK: - Shared integers

/// An integer of the file that the other side reads or writes at the same time.
@inline(__always) func atomic<Row>(
  _ row: UnsafeMutablePointer<Row>, _ field: KeyPath<Row, UInt32>
) -> UnsafeMutablePointer<Atomic<UInt32>> {
  address(row, field).assumingMemoryBound(to: Atomic<UInt32>.self)
}

@inline(__always) func atomic<Row>(
  _ row: UnsafeMutablePointer<Row>, _ field: KeyPath<Row, UInt64>
) -> UnsafeMutablePointer<Atomic<UInt64>> {
  address(row, field).assumingMemoryBound(to: Atomic<UInt64>.self)
}

@inline(__always) private func address<Row, Value>(
  _ row: UnsafeMutablePointer<Row>, _ field: KeyPath<Row, Value>
) -> UnsafeMutableRawPointer {
  // Fields of an imported C struct are stored, so they have an offset.
  UnsafeMutableRawPointer(row) + (MemoryLayout<Row>.offset(of: field) ?? 0)
}
