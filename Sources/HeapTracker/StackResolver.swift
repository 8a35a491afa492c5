import CAgentWire
import Capture
import ProfileModel

/// Turns the addresses of stacks into rows of the profile.
final class StackResolver {
  private unowned let session: CaptureSession
  private let rows: ProfileRows
  /// The last stack from its root: what it begins with is often what the next one begins with.
  private var last = LastStack()
  /// What the profile's own tables know, too, found quicker: locations of frames by process, and
  /// nodes by parent and location.
  private var locations: [Int: FrameLocations] = [:]
  private var nodes = NumberMap()

  private struct LastStack {
    var process = -1
    var generation: UInt32 = 0
    var ending: UInt32 = 0
    var frames: [UInt64] = []
    /// Up to each frame.
    var nodes: [ID<StackNode>?] = []
  }

  private struct FrameLocations {
    var generation: UInt32
    var map = NumberMap()
    /// The location of frames that are the agent's own, which are left out.
    static let leftOut = UInt32.max
  }

  init(session: CaptureSession, rows: ProfileRows) {
    self.session = session
    self.rows = rows
  }

  /// Mappings of `process` have changed.
  func forget(_ process: TracedProcess) {
    last.process = -1
    locations[process.number] = nil
  }

  func update(_ process: TracedProcess, maps text: UnsafeRawBufferPointer, in generation: UInt32) {
    session.update(process, maps: text, in: generation)
    last.process = -1
    locations[process.number] = nil
  }

  /// The stack of addresses that the agent has walked, leaf first.
  func node(
    of frames: UnsafeBufferPointer<UInt64>, ending: UInt32, generation: UInt32,
    _ process: TracedProcess
  ) -> ID<StackNode>? {
    if last.process != process.number || last.generation != generation || last.ending != ending {
      last = LastStack(process: process.number, generation: generation, ending: ending)
    }
    var known = 0
    while known < last.frames.count, known < frames.count,
      last.frames[known] == frames[frames.count - 1 - known]
    {
      known += 1
    }
    last.frames.removeLast(last.frames.count - known)
    last.nodes.removeLast(last.nodes.count - known)
    var node = last.nodes.last ?? Self.marker(ending).map(rows.stack)
    for frame in frames.dropLast(known).reversed() {
      if let location = location(of: frame, in: generation, process) {
        node = self.node(location, calledFrom: node)
      }
      last.frames.append(frame)
      last.nodes.append(node)
    }
    return node
  }

  private func node(_ location: ID<Location>, calledFrom parent: ID<StackNode>?) -> ID<StackNode> {
    // Ids are not negative, so neither half is all ones.
    let key =
      UInt64(UInt32(bitPattern: parent.map(\.rawValue) ?? -1)) << 32
      | UInt64(UInt32(bitPattern: location.rawValue) + 1)
    if let known = nodes[key] { return ID(Int(known)) }
    let node = rows.profile.stacks.intern(StackNode(parent: parent, location: location))
    nodes.insert(UInt32(bitPattern: node.rawValue), for: key)
    return node
  }

  /// Nil for the agent's own code.
  private func location(
    of frame: UInt64, in generation: UInt32, _ process: TracedProcess
  ) -> ID<Location>? {
    if let known = locations[process.number], known.generation == generation,
      let value = known.map[frame]
    {
      return value == FrameLocations.leftOut ? nil : ID(Int(value))
    }
    let location = lookUp(frame, in: generation, process)
    var known = locations.removeValue(forKey: process.number)
    if known?.generation != generation { known = FrameLocations(generation: generation) }
    known?.map.insert(
      location.map { UInt32(bitPattern: $0.rawValue) } ?? FrameLocations.leftOut, for: frame)
    locations[process.number] = known
    return location
  }

  private func lookUp(
    _ frame: UInt64, in generation: UInt32, _ process: TracedProcess
  ) -> ID<Location>? {
    let address = Self.lookup(frame)
    let addresses = session.addresses(of: process, in: generation)
    let isCurrent = generation == process.generation
    if isCurrent, !addresses.covers(address) { _ = session.rereadMaps(of: process) }
    return isCurrent || !addresses.covers(address)
      ? rows.location(of: address, in: process) : rows.location(of: address, in: addresses)
  }

  /// Return addresses are looked up inside the call that they follow.
  private static func lookup(_ frame: UInt64) -> UInt64 {
    let exact: UInt64 = 1 << 63  // QPROF_FRAME_EXACT
    return frame & exact != 0 ? frame & ~exact : frame &- 1
  }

  private static func marker(_ ending: UInt32) -> FrameMarker? {
    switch ending {
    case QPROF_STACK_COMPLETE.rawValue: nil
    case QPROF_STACK_NO_UNWIND_INFO.rawValue, QPROF_STACK_NOT_EXPRESSIBLE.rawValue: .noUnwindInfo
    case QPROF_STACK_UNREADABLE.rawValue: .stackUnreadable
    case QPROF_STACK_TOO_DEEP.rawValue: .tooDeep
    default: .brokenChain
    }
  }
}
