package import Capture
package import ProfileModel

/// Turns captured stacks into a profile of addresses.
package final class SampleCollector {
  package internal(set) var profile = Profile()
  /// Number and weight of all samples so far; ``profile`` holds only those not yet written.
  package private(set) var sampleCount: Int64 = 0
  package private(set) var totalWeight: Int64 = 0

  private let session: CaptureSession
  private let unwinder = Unwinder()
  private let start: Nanoseconds
  /// Weight of one signal when nothing delayed it: above 1 when the tick is longer than the period.
  private let ordinaryWeight: Int64
  private var stack = UnwoundStack()
  private var processes: [Int: ProcessRows] = [:]

  /// What is known of one live process. Dropped when it ends, so that memory does not grow with
  /// the number of processes.
  private struct ProcessRows {
    var id: ID<ProcessImage>
    var threads: [Int32: ID<ThreadInfo>] = [:]
    /// By run-time address. These two are forgotten when the mappings change.
    var locations: [UInt64: ID<Location>] = [:]
    var mappings: [UInt64: ID<Mapping>] = [:]
  }

  /// A weight above this many ticks means that the signal was held up: it tells how long, but not
  /// where the time went.
  private static let longestDelayInTicks: Int64 = 4

  package init(session: CaptureSession, start: Nanoseconds, period: Nanoseconds, tick: Nanoseconds)
  {
    self.session = session
    self.start = start
    ordinaryWeight = max(1, (tick.rawValue + period.rawValue - 1) / period.rawValue)
    profile.period = .cpu(period)
  }
}

extension SampleCollector: CaptureConsumer {
  package func began(_ process: TracedProcess) { _ = processRow(process) }

  package func captured(_ sample: RawSample, thread tid: Int32, of process: TracedProcess) {
    unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &stack)
    if stack.metUnknownCode, session.rereadMaps(of: process, self) {
      unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &stack)
    }
    let thread = threadRow(tid, of: process)
    let time = Nanoseconds(max(0, sample.time - start.rawValue))
    var weight = Int64(sample.weight)
    if weight > ordinaryWeight * Self.longestDelayInTicks {
      let held = weight - ordinaryWeight
      weight = ordinaryWeight
      append(Sample(time: time, thread: thread, stack: markerStack(.signalBlocked), weight: held))
    }
    append(Sample(time: time, thread: thread, stack: stackRow(of: process), weight: weight))
    sampleCount += 1
  }

  package func mappingsChanged(of process: TracedProcess) {
    unwinder.forget(owner: process.number)
    processes[process.number]?.locations = [:]
    processes[process.number]?.mappings = [:]
  }

  package func renamed(thread tid: Int32, of process: TracedProcess, to name: String) {
    let id = threadRow(tid, of: process)
    profile.threads[id].name = profile.strings.intern(name)
  }

  package func ended(_ process: TracedProcess) {
    guard let rows = processes.removeValue(forKey: process.number) else { return }
    profile.processes[rows.id].end = Host.now - start
  }

  private func append(_ sample: Sample) {
    profile.samples.append(sample)
    totalWeight += sample.weight
  }
}

// MARK: - Rows

extension SampleCollector {
  private func processRow(_ process: TracedProcess) -> ProcessRows {
    if let known = processes[process.number] { return known }
    let id = profile.processes.append(
      ProcessImage(
        pid: process.pid, parentPID: process.parentPID, name: profile.strings.intern(process.name),
        start: Nanoseconds(max(0, process.start - start.rawValue))))
    let rows = ProcessRows(id: id)
    processes[process.number] = rows
    return rows
  }

  private func threadRow(_ tid: Int32, of process: TracedProcess) -> ID<ThreadInfo> {
    if let known = processes[process.number]?.threads[tid] { return known }
    let rows = processRow(process)
    let name = process.threadName(tid) ?? process.name
    let id = profile.threads.append(
      ThreadInfo(process: rows.id, tid: tid, name: profile.strings.intern(name)))
    processes[process.number]?.threads[tid] = id
    return id
  }

  /// The unwound stack as a node of the prefix tree.
  private func stackRow(of process: TracedProcess) -> ID<StackNode>? {
    var node = stack.truncation.flatMap(markerStack)
    for (depth, address) in stack.addresses.enumerated().reversed() {
      if depth > 0, isAgent(address, in: process) { continue }  // the thread's starter
      let location = locationRow(address, of: process)
      node = profile.stacks.intern(StackNode(parent: node, location: location))
    }
    return node
  }

  private func markerStack(_ marker: FrameMarker) -> ID<StackNode>? {
    let location = profile.locations.intern(.marker(marker))
    return profile.stacks.intern(StackNode(parent: nil, location: location))
  }

  private func isAgent(_ address: UInt64, in process: TracedProcess) -> Bool {
    process.addresses.region(containing: address)?.path.hasSuffix("/" + AgentLibrary.fileName)
      ?? false
  }

  private func locationRow(_ address: UInt64, of process: TracedProcess) -> ID<Location> {
    if let known = processes[process.number]?.locations[address] { return known }
    let id = profile.locations.intern(place(of: address, in: process))
    processes[process.number]?.locations[address] = id
    return id
  }

  private func place(of address: UInt64, in process: TracedProcess) -> Location.Place {
    guard let region = process.addresses.region(containing: address) else {
      return .unmapped(RuntimeAddress(address))
    }
    return .code(mappingRow(region, of: process), region.fileAddress(address))
  }

  private func mappingRow(_ region: Region, of process: TracedProcess) -> ID<Mapping> {
    if let known = processes[process.number]?.mappings[region.start] { return known }
    let id = profile.mappings.intern(region.mapping(path: profile.strings.intern(region.path)))
    processes[process.number]?.mappings[region.start] = id
    return id
  }
}
