import CAgentWire
import Capture
import ProfileModel

/// Turns the addresses of stacks into rows of the profile.
final class StackResolver {
  private unowned let session: CaptureSession
  private let rows: ProfileRows
  private let unwinder = Unwinder()
  private var unwound = UnwoundStack()
  /// The last stack from its root: what it begins with is often what the next one begins with.
  private var last = LastStack()

  private struct LastStack {
    var process = -1
    var generation: UInt32 = 0
    var ending: UInt32 = 0
    var addresses: [UInt64] = []
    /// Up to each address.
    var nodes: [ID<StackNode>?] = []
  }

  init(session: CaptureSession, rows: ProfileRows) {
    self.session = session
    self.rows = rows
  }

  /// Mappings of `process` have changed.
  func forget(_ process: TracedProcess) {
    unwinder.forget(owner: process.number)
    last.process = -1
  }

  func update(_ process: TracedProcess, maps text: UnsafeRawBufferPointer, in generation: UInt32) {
    session.update(process, maps: text, in: generation)
    last.process = -1
  }

  /// The stack of a copy of registers and memory.
  func node(of sample: RawSample, _ process: TracedProcess) -> (
    stack: ID<StackNode>?, isTruncated: Bool
  ) {
    unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &unwound)
    if unwound.metUnknownCode, session.rereadMaps(of: process) {
      unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &unwound)
    }
    var node = unwound.truncation.map(rows.stack)
    for address in unwound.addresses.reversed() {
      guard let location = rows.location(of: address, in: process) else { continue }
      node = rows.profile.stacks.intern(StackNode(parent: node, location: location))
    }
    return (node, unwound.truncation != nil)
  }

  /// The stack of addresses that the agent has walked, leaf first.
  func node(
    of frames: UnsafeBufferPointer<UInt64>, ending: UInt32, generation: UInt32,
    _ process: TracedProcess
  ) -> ID<StackNode>? {
    let addresses = session.addresses(of: process, in: generation)
    let isCurrent = generation == process.generation
    if isCurrent, frames.contains(where: { !addresses.covers(Self.lookup($0)) }) {
      _ = session.rereadMaps(of: process)
    }
    if last.process != process.number || last.generation != generation || last.ending != ending {
      last = LastStack(process: process.number, generation: generation, ending: ending)
    }
    var node = Self.marker(ending).map(rows.stack)
    var depth = 0
    let known = zip(last.addresses, frames.reversed()).prefix { $0 == $1 }.count
    last.addresses.removeLast(last.addresses.count - known)
    last.nodes.removeLast(last.nodes.count - known)
    if let shared = last.nodes.last { node = shared }
    for frame in frames.reversed() {
      depth += 1
      guard depth > known else { continue }
      let address = Self.lookup(frame)
      let location =
        isCurrent || !addresses.covers(address)
        ? rows.location(of: address, in: process) : rows.location(of: address, in: addresses)
      if let location {
        node = rows.profile.stacks.intern(StackNode(parent: node, location: location))
      }
      last.addresses.append(frame)
      last.nodes.append(node)
    }
    return node
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
