import CAgentWire
import Synchronization

// What is read of processes from outside: their mappings and threads.

extension CaptureSession {
  /// Reads the mappings of `process` again because an address was in none of them.
  /// - Returns: whether that changed anything.
  package func rereadMaps(of process: TracedProcess) -> Bool {
    guard process.canRereadMaps else { return false }
    process.canRereadMaps = false  // until the next round: code may be in no mapping at all
    return readMaps(of: process) || process.inheritMappings()
  }

  func followMappings() {
    let now = Syscalls.monotonicNow()
    let isTime = now - lastMapsScan >= Self.mapsScanInterval
    if isTime { lastMapsScan = now }
    for process in byRow.values {
      process.canRereadMaps = true
      followMappings(of: process, always: isTime && process.hadSamples)
    }
  }

  /// Reads the mappings of `process` again if it has unloaded something, or in any case.
  func followMappings(of process: TracedProcess, always: Bool = false) {
    let generation = atomic(file.process(process.row), \.generation).pointee
      .load(ordering: .acquiring)
    guard generation != process.generation || always else { return }
    process.moveOn(to: generation)
    _ = readMaps(of: process)
  }

  private func readMaps(of process: TracedProcess) -> Bool {
    guard let entries = process.readMaps(session: file.path) else { return false }
    return update(process, entries)
  }

  @discardableResult
  func update(_ process: TracedProcess, _ entries: [MapsEntry]) -> Bool {
    let changed = process.addresses.update(entries, pid: process.pid, images: images)
    if changed { for consumer in consumers { consumer.mappingsChanged(of: process) } }
    return changed
  }

  /// Finds threads that no hook has seen, and frees the slots of those that ended unseen.
  func scanThreads(of process: TracedProcess) {
    let running = Set(process.threads())
    guard !running.isEmpty else { return }
    for tid in process.activeThreads.intersection(running) {
      guard let name = process.threadName(tid) else { continue }
      for consumer in consumers { consumer.renamed(thread: tid, of: process, to: name) }
    }
    process.activeThreads = []
    // One that has begun since the list was read is not in it, and runs.
    func hasEnded(_ tid: Int32) -> Bool {
      !running.contains(tid) && process.threadName(tid) == nil
    }
    var known: Set<Int32> = []
    var starting = 0
    for index in 0..<file.slotsReady {
      let slot = file.slot(index)
      let state = atomic(slot, \.state).pointee.load(ordering: .acquiring)
      guard state != QPROF_SLOT_FREE.rawValue, Int(slot.pointee.process) == process.row
      else { continue }
      if isHeap(slot) {
        if hasEnded(slot.pointee.tid) { heap.endedUnseen.insert(index) }
        continue
      }
      if state == QPROF_SLOT_CLAIMED.rawValue { starting += 1 }
      known.insert(slot.pointee.tid)
      if state == QPROF_SLOT_LIVE.rawValue, hasEnded(slot.pointee.tid) {
        drain(slot: index)
        release(slot: index)
      }
    }
    guard options.period != nil else { return }
    // A thread that is just starting has a slot, but has not put its name on it yet.
    let unseen = running.subtracting(known).sorted()
    guard unseen.count > starting, let tid = unseen.first else { return }
    atomic(file.process(process.row), \.wanted).pointee
      .store(UInt32(bitPattern: tid), ordering: .releasing)
  }
}
