import CAgentWire
package import ProfileModel
import Synchronization

/// The recorder's view of everything that runs with the agent: finds processes and threads, drains
/// their rings, follows their mappings, and notices when they are gone.
package final class CaptureSession {
  let file: SessionFile
  package let options: CaptureOptions
  package internal(set) var clock: EventClock
  private(set) var consumers: [any CaptureConsumer] = []
  let images = ImageCache()
  private(set) var byRow: [Int: TracedProcess] = [:]
  var heap = HeapRounds()
  private var nextNumber = 0
  private var imagesSeen: UInt32 = 0
  private var lastThreadScan: Int64 = 0
  var lastMapsScan: Int64 = 0
  private var nextFullRound: Int64 = 0
  package internal(set) var losses = Losses()
  package private(set) var threadCount = 0
  /// Bytes that the fullest ring of this round held.
  private var fullestRing: UInt64 = 0

  /// Time between rounds. Draining less often keeps the caches warm and costs half; deep
  /// stacks, of which a ring holds only a few, are fetched sooner.
  private static let ordinaryRound = Nanoseconds(50_000_000)
  private static let hurriedRound = Nanoseconds(10_000_000)
  private static let threadScanInterval: Int64 = 250_000_000
  static let mapsScanInterval: Int64 = 1_000_000_000
  /// A process that used less CPU time than this may well never have met a tick.
  private static let noticeableCPUTime: Int64 = 100_000_000

  package init(_ options: CaptureOptions, clock: EventClock = EventClock()) throws(CaptureError) {
    self.options = options
    self.clock = clock
    file = try SessionFile(options, clock: clock)
  }

  package func attach(_ consumer: any CaptureConsumer) { consumers.append(consumer) }
  func willWrite() { for consumer in consumers { consumer.willWrite() } }

  /// Of the session file, by which agents attach to it.
  package var path: String { file.path }
  package var processes: some Collection<TracedProcess> { byRow.values }

  /// Nothing runs any more that could still be sampled. Also asks /proc: the child of a fork shows
  /// itself in the session only at its first tick.
  package var isDeserted: Bool {
    let forks = file.forksBegun
    return byRow.isEmpty && file.forksPending == 0 && unlistedProcesses().isEmpty
      // A process that forked and ended meanwhile may have been missed, and its child too.
      && file.forksBegun == forks && file.forksPending == 0 && !hasNewImages
  }

  private var hasNewImages: Bool { file.imagesAttached != imagesSeen }

  /// Variables for the target: which session to attach to, and the library that does it.
  package func environment(for agent: AgentLibrary) throws(CaptureError) -> [String: String] {
    var path = agent.path
    // The loader splits the list at these.
    if path.contains(where: { $0 == " " || $0 == ":" }) {
      path = file.folder + "/" + agent.kind.rawValue
      guard Syscalls.makeLink(to: agent.path, at: path) else {
        throw .systemCall("symlink", errno: Syscalls.lastError(), what: path)
      }
    }
    let others = Syscalls.environment("LD_PRELOAD").map { ":" + $0 } ?? ""
    // AddressSanitizer refuses to start behind another preloaded library. The agent replaces
    // nothing that it relies on, and calls on to it.
    let options = Syscalls.environment("ASAN_OPTIONS").map { $0 + ":" } ?? ""
    return [
      QPROF_ENV_SESSION: file.path, "LD_PRELOAD": path + others,
      "ASAN_OPTIONS": options + "verify_asan_link_order=0",
    ]
  }

  /// One round: hands over everything that is new.
  /// - Parameter isEnding: the command has ended, so processes are expected to go.
  /// - Returns: how long to wait before the next round.
  package func poll(isEnding: Bool = false) -> Nanoseconds {
    let now = Syscalls.monotonicNow()
    guard options.heap != nil else { return fullRound(now) }
    clock.calibrateIfDue()
    // Before anything is looked at: what happens later may be missed, and then is after it.
    let horizon = clock.horizon(order: file.lastOrder)
    if isEnding || now >= nextFullRound {
      let pause = fullRound(now, horizon: horizon)
      nextFullRound = now + pause.rawValue
    } else {
      discover()
      drainHeaps(before: horizon)
    }
    return isEnding ? max(heap.pause, Self.hurriedRound) : heap.pause
  }

  private func fullRound(_ now: Int64, horizon: UInt64? = nil) -> Nanoseconds {
    fullestRing = 0
    file.beat()
    discover()
    // Who is gone now has written everything; so that is asked before draining.
    let gone = byRow.values.filter(isGone)
    let inUse = drainAll()
    if let horizon { drainHeaps(before: horizon) }
    followMappings()
    if now - lastThreadScan >= Self.threadScanInterval {
      lastThreadScan = now
      for process in byRow.values { scanThreads(of: process) }
    }
    for process in byRow.values where !gone.contains(where: { $0 === process }) {
      for consumer in consumers { consumer.visited(process) }
    }
    for process in gone { retire(process) }
    file.growIfNeeded(slotsInUse: inUse)
    return fullestRing > UInt64(QPROF_RING_SIZE) / 4 ? Self.hurriedRound : Self.ordinaryRound
  }

  /// Ends the recording: asks the agents for silence, waits for those in the middle of a record,
  /// takes what is left, and removes the session.
  package func finish() {
    file.requestStop()
    if !byRow.isEmpty || !isDeserted { Syscalls.sleep(milliseconds: 20) }
    _ = poll(isEnding: true)
    for name in unlistedProcesses() + byRow.values.map(\.name) {
      losses.add(.leftRunning, events: 1)
      losses.processNames[.leftRunning, default: []].append(name)
    }
    for process in byRow.values { retire(process) }
    losses.add(.noSlot, events: Int64(file.header.pointee.processes_refused))
    file.close()
  }
}

// MARK: - Processes

extension CaptureSession {
  /// Names of processes that have the session mapped but no row in it.
  private func unlistedProcesses() -> [String] {
    let listed = Set(byRow.values.map(\.pid) + [Syscalls.ownPID()])
    let path = file.path
    return Syscalls.entries(of: "/proc").compactMap { Int32($0) }.compactMap { pid in
      guard !listed.contains(pid), let maps = Syscalls.contents("/proc/\(pid)/maps"),
        parseMaps(maps).contains(where: { $0.path == path })
      else { return nil }
      return Syscalls.text("/proc/\(pid)/comm").map { $0.filter { $0 != "\n" } } ?? "pid \(pid)"
    }
  }

  private func discover() {
    guard hasNewImages else { return }
    var rows: [Int] = []
    for row in 0..<Int(QPROF_MAX_PROCESSES) where byRow[row] == nil {
      let state = atomic(file.process(row), \.state).pointee.load(ordering: .acquiring)
      if state == QPROF_PROCESS_LIVE.rawValue || state == QPROF_PROCESS_EXITED.rawValue {
        rows.append(row)
      }
    }
    // In the order of attaching, so that a child finds its parent.
    for row in rows.sorted(by: { image(row: $0) < image(row: $1) }) {
      let process = begin(row: row)
      for consumer in consumers { consumer.began(process) }
    }
    // An agent that has counted itself but not filled in its row is found in the next round.
    imagesSeen &+= UInt32(rows.count)
  }

  private func image(row: Int) -> UInt32 { file.process(row).pointee.image }

  private func begin(row: Int) -> TracedProcess {
    let fields = file.process(row).pointee
    let parent =
      fields.parent_image == 0
      ? nil : byRow.values.first { $0.image == fields.parent_image }
    let process = TracedProcess(number: nextNumber, row: row, fields: fields, parent: parent)
    nextNumber += 1
    _ = process.checkVitals()
    if !process.inheritMappings(), let entries = process.readMaps(session: file.path) {
      _ = process.addresses.update(entries, pid: process.pid, images: images)
    }
    byRow[row] = process
    return process
  }

  private func isGone(_ process: TracedProcess) -> Bool {
    if process.hadSamples {
      process.hadSamples = false
      return false
    }
    if byRow.values.contains(where: { $0.pid == process.pid && $0.image > process.image }) {
      return true  // it has exec'd
    }
    return !process.checkVitals()
  }

  private func retire(_ process: TracedProcess) {
    for index in 0..<file.slotsReady {
      let slot = file.slot(index)
      guard slot.pointee.state != QPROF_SLOT_FREE.rawValue, Int(slot.pointee.process) == process.row
      else { continue }
      if isHeap(slot) { continue }
      drain(slot: index)
      release(slot: index)
    }
    finishHeap(of: process)
    let row = file.process(process.row).pointee
    losses.add(.noSlot, events: Int64(row.no_slot))
    losses.add(.noTimer, events: Int64(row.no_timer))
    losses.add(.noHeapSlot, events: Int64(row.no_heap_slot))
    noteSilence(of: process, row)
    // The rows, attached first, go last: the others still name the process by them.
    for consumer in consumers.reversed() { consumer.ended(process) }
    byRow[process.row] = nil
    file.freeProcess(process.row)
  }

  /// A process that ran and was never interrupted has a runtime that takes the signal.
  private func noteSilence(of process: TracedProcess, _ row: qprof_process) {
    guard options.period != nil else { return }
    let seen = Int64(row.ticks) * file.header.pointee.period_ns
    if process.cpuTimeOfImage >= Self.noticeableCPUTime, row.no_slot == 0,
      seen < process.cpuTimeOfImage / 10
    {
      losses.add(.neverEntered, events: 1)
      losses.processNames[.neverEntered, default: []].append(process.name)
    }
  }
}

// MARK: - Rings

extension CaptureSession {
  /// Drains older images before younger ones: a process's first record tells the mappings that
  /// its children share.
  /// - Returns: the number of slots in use.
  private func drainAll() -> Int {
    threadCount = 0
    var heapSlots = 0
    var inUse: [(slot: Int, state: UInt32, image: UInt32)] = []
    for index in 0..<file.slotsReady {
      let slot = file.slot(index)
      let state = atomic(slot, \.state).pointee.load(ordering: .acquiring)
      guard state != QPROF_SLOT_FREE.rawValue else { continue }
      if isHeap(slot) {
        heapSlots += 1
        if state == QPROF_SLOT_LIVE.rawValue, options.period == nil { threadCount += 1 }
        continue
      }
      inUse.append((index, state, byRow[Int(slot.pointee.process)]?.image ?? 0))
    }
    for (index, state, _) in inUse.sorted(by: { $0.image < $1.image }) {
      if state == QPROF_SLOT_LIVE.rawValue { threadCount += 1 }
      drain(slot: index)
      if state == QPROF_SLOT_DEAD.rawValue { release(slot: index) }
    }
    return inUse.count + heapSlots
  }

  func drain(slot index: Int) {
    let slot = file.slot(index)
    let tid = slot.pointee.tid
    guard let process = byRow[Int(slot.pointee.process)] else { return }
    let reader = RingReader(session: file)
    fullestRing = max(fullestRing, reader.backlog(slot: index))
    let isIntact = reader.drain(slot: index) { record in
      switch record {
      case .sample(let sample):
        process.hadSamples = true
        process.activeThreads.insert(tid)
        for consumer in consumers { consumer.captured(sample, thread: tid, of: process) }
      case .maps(let text): update(process, parseMaps(text))
      }
    }
    if !isIntact { losses.add(.badRecord, events: 1) }
  }

  func isHeap(_ slot: UnsafeMutablePointer<qprof_slot>) -> Bool {
    slot.pointee.kind == QPROF_SLOT_HEAP.rawValue
  }

  func release(slot index: Int) {
    let slot = file.slot(index).pointee
    losses.add(
      .ringFull, events: Int64(clamping: slot.full_events),
      weight: Int64(clamping: slot.full_weight))
    losses.add(
      .agentBusy, events: Int64(clamping: slot.busy_events),
      weight: Int64(clamping: slot.busy_weight))
    file.freeSlot(index)
  }
}
