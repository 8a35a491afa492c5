package import ProfileModel

/// The rows of a profile being recorded: processes, threads, and the code that stacks go through.
/// Shared by all that record into it.
package final class ProfileRows {
  package var profile = Profile()
  /// When the recording began.
  package let start: Nanoseconds
  private var processes: [Int: Known] = [:]

  /// What is known of one live process. Dropped when it ends, so that memory does not grow with
  /// the number of processes.
  private final class Known {
    let id: ID<ProcessImage>
    var threads: [Int32: ID<ThreadInfo>] = [:]
    /// By run-time address; nil for code of the agent. These two are forgotten when the mappings
    /// change.
    var locations: [UInt64: ID<Location>?] = [:]
    var mappings: [UInt64: ID<Mapping>] = [:]
    init(id: ID<ProcessImage>) { self.id = id }
  }

  package init(start: Nanoseconds) { self.start = start }

  package func process(_ process: TracedProcess) -> ID<ProcessImage> { known(process).id }

  package func thread(_ tid: Int32, of process: TracedProcess) -> ID<ThreadInfo> {
    let rows = known(process)
    if let thread = rows.threads[tid] { return thread }
    let name = process.threadName(tid) ?? process.name
    let id = profile.threads.append(
      ThreadInfo(process: rows.id, tid: tid, name: profile.strings.intern(name)))
    rows.threads[tid] = id
    return id
  }

  /// The stack that has only this marker.
  package func stack(_ marker: FrameMarker) -> ID<StackNode> {
    let location = profile.locations.intern(.marker(marker))
    return profile.stacks.intern(StackNode(parent: nil, location: location))
  }

  /// A stack of addresses to look up, leaf first, as a node of the prefix tree. Frames of the
  /// agent are left out, which are a thread's starter, except at the leaf.
  package func stack(_ unwound: UnwoundStack, of process: TracedProcess) -> ID<StackNode>? {
    var node = unwound.truncation.map(stack)
    for (depth, address) in unwound.addresses.enumerated().reversed() {
      guard let location = location(of: address, in: process, keepsAgent: depth == 0) else {
        continue
      }
      node = profile.stacks.intern(StackNode(parent: node, location: location))
    }
    return node
  }

  /// The location of code in `process` as it is now; nil for the agent's own.
  package func location(of address: UInt64, in process: TracedProcess) -> ID<Location>? {
    location(of: address, in: process, keepsAgent: false)
  }

  /// The location of code in mappings of the past; nil for the agent's own.
  package func location(of address: UInt64, in addresses: AddressSpace) -> ID<Location>? {
    guard let region = addresses.region(containing: address) else {
      return profile.locations.intern(.unmapped(RuntimeAddress(address)))
    }
    if AgentLibrary.isAgent(region.path) { return nil }
    let mapping = profile.mappings.intern(
      region.mapping(path: profile.strings.intern(region.path)))
    return profile.locations.intern(.code(mapping, region.fileAddress(address)))
  }
}

extension ProfileRows: CaptureConsumer {
  package func began(_ process: TracedProcess) { _ = known(process) }

  package func mappingsChanged(of process: TracedProcess) {
    let rows = known(process)
    rows.locations = [:]
    rows.mappings = [:]
  }

  package func renamed(thread tid: Int32, of process: TracedProcess, to name: String) {
    let id = thread(tid, of: process)
    profile.threads[id].name = profile.strings.intern(name)
  }

  package func ended(_ process: TracedProcess) {
    guard let rows = processes.removeValue(forKey: process.number) else { return }
    profile.processes[rows.id].end = Host.now - start
  }
}

extension ProfileRows {
  private func known(_ process: TracedProcess) -> Known {
    if let known = processes[process.number] { return known }
    let id = profile.processes.append(
      ProcessImage(
        pid: process.pid, parentPID: process.parentPID, name: profile.strings.intern(process.name),
        start: Nanoseconds(max(0, process.start - start.rawValue))))
    let rows = Known(id: id)
    processes[process.number] = rows
    return rows
  }

  private func location(
    of address: UInt64, in process: TracedProcess, keepsAgent: Bool
  ) -> ID<Location>? {
    let rows = known(process)
    if let location = rows.locations[address], location != nil || !keepsAgent { return location }
    guard let region = process.addresses.region(containing: address) else {
      let id = profile.locations.intern(.unmapped(RuntimeAddress(address)))
      rows.locations[address] = id
      return id
    }
    if !keepsAgent, AgentLibrary.isAgent(region.path) {
      rows.locations[address] = .some(nil)
      return nil
    }
    let id = profile.locations.intern(.code(mapping(region, rows), region.fileAddress(address)))
    if !AgentLibrary.isAgent(region.path) { rows.locations[address] = id }
    return id
  }

  private func mapping(_ region: Region, _ rows: Known) -> ID<Mapping> {
    if let mapping = rows.mappings[region.start] { return mapping }
    let id = profile.mappings.intern(region.mapping(path: profile.strings.intern(region.path)))
    rows.mappings[region.start] = id
    return id
  }
}
