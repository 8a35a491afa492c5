import CAgentWire
import CLibunwind
import CUnwind
package import ProfileModel

/// A stack as addresses, leaf first.
package struct UnwoundStack {
  /// Addresses to look up: the leaf and frames interrupted by a signal as they are, callers one
  /// byte before their return address, which is inside the call.
  package var addresses: [UInt64] = []
  /// Why the stack has no beginning; nil when it is complete.
  package var truncation: FrameMarker?
  /// Some address was in no known mapping.
  package var metUnknownCode = false
  package init() {}
}

/// Unwinds copied stacks through libunwind's remote interface. For one thread at a time.
package final class Unwinder {
  /// libunwind's view of one process, with its cache of unwind rows (0.8 MB).
  final class Space {
    let handle: unw_addr_space_t
    init?(_ accessors: UnsafeMutablePointer<unw_accessors_t>) {
      guard let handle = qprof_unw_create_addr_space(accessors) else { return nil }
      self.handle = handle
      qprof_unw_set_up_cache(handle)
    }
  }

  private static let maximumDepth = 8192
  private static let maximumSpaces = 24

  private let accessors: UnsafeMutablePointer<unw_accessors_t>
  private let cursor: UnsafeMutablePointer<unw_cursor_t>
  private let access: UnsafeMutablePointer<UnwindAccess>
  private let registers: UnsafeMutablePointer<UInt64>
  /// Spaces by owner, the least recently used first. libunwind keeps a destroyed space's cache
  /// mapped, so spaces are passed on from process to process instead.
  private var spaces: [(owner: Int, space: Space)] = []

  package init() {
    accessors = .allocate(capacity: 1)
    accessors.initialize(to: makeAccessors())
    cursor = .allocate(capacity: 1)
    cursor.initialize(to: unw_cursor_t())
    registers = .allocate(capacity: Int(QPROF_REGISTERS))
    registers.initialize(repeating: 0, count: Int(QPROF_REGISTERS))
    access = .allocate(capacity: 1)
    access.initialize(
      to: UnwindAccess(
        registers: registers, stack: (.init(), .init()),
        regions: UnsafeBufferPointer(start: nil, count: 0)))
  }

  deinit {
    access.deallocate()
    registers.deallocate()
    cursor.deallocate()
    accessors.deallocate()
  }

  /// Unwinds `sample` into `result`, whose storage is reused.
  /// - Parameter owner: number of the process image, so that its unwind rows are found again.
  package func unwind(
    _ sample: RawSample, in addresses: AddressSpace, owner: Int, into result: inout UnwoundStack
  ) {
    result.addresses.removeAll(keepingCapacity: true)
    result.truncation = nil
    result.metUnknownCode = false
    guard let space = space(for: owner) else {
      result.addresses.append(sample.registers[Register.rip])
      result.truncation = .brokenChain
      return
    }
    addresses.table.withUnsafeBufferPointer { regions in
      registers.update(from: sample.registers, count: Int(QPROF_REGISTERS))
      access.pointee.stack = sample.stack
      access.pointee.regions = regions
      access.pointee.asking = nil
      access.pointee.wantedMore = false
      qprof_unwinding_begins()
      let ending = walk(space.handle, addresses, &result)
      qprof_unwinding_ends()
      result.truncation = judge(ending, sample, addresses, &result)
    }
  }

  /// Forgets the unwind rows of a process whose mappings changed.
  package func forget(owner: Int) {
    guard let space = spaces.first(where: { $0.owner == owner })?.space else { return }
    qprof_unwinding_begins()
    qprof_unw_flush_cache(space.handle)
    qprof_unwinding_ends()
  }

  private func space(for owner: Int) -> Space? {
    if let last = spaces.last, last.owner == owner { return last.space }
    if let index = spaces.firstIndex(where: { $0.owner == owner }) {
      let entry = spaces.remove(at: index)
      spaces.append(entry)
      return entry.space
    }
    if spaces.count < Self.maximumSpaces, let space = Space(accessors) {
      spaces.append((owner, space))
      return space
    }
    guard !spaces.isEmpty else { return nil }
    let space = spaces.removeFirst().space
    qprof_unw_flush_cache(space.handle)
    spaces.append((owner, space))
    return space
  }
}

// MARK: - The walk

extension Unwinder {
  private enum Ending {
    /// libunwind found no caller, which can also mean that it gave up.
    case noCaller
    case noEntry
    case failed
    case tooDeep
  }

  /// The registers that name a frame.
  private struct Frame {
    var rip: UInt64
    var rsp: UInt64
    var rbp: UInt64
  }

  private func frame() -> Frame? {
    var frame = Frame(rip: 0, rsp: 0, rbp: 0)
    guard qprof_unw_get_reg(cursor, Int32(Register.rip), &frame.rip) == 0,
      qprof_unw_get_reg(cursor, Int32(Register.rsp), &frame.rsp) == 0
    else { return nil }
    // Where rbp is lost the frame is still good; only the step below cannot be made from it.
    if qprof_unw_get_reg(cursor, Int32(Register.rbp), &frame.rbp) != 0 { frame.rbp = 0 }
    return frame
  }

  private func walk(
    _ space: unw_addr_space_t, _ addresses: AddressSpace, _ result: inout UnwoundStack
  ) -> Ending {
    guard qprof_unw_init_remote(cursor, space, access) == 0, var frame = frame() else {
      result.addresses.append(registers[Register.rip])
      return .failed
    }
    var isExact = true
    for _ in 0..<Self.maximumDepth {
      result.addresses.append(isExact ? frame.rip : frame.rip &- 1)
      let region = access.pointee.region(containing: frame.rip)
      if region == nil { result.metUnknownCode = true }
      let isTrampoline = region.map { isSignalReturn(frame.rip, in: $0) } ?? false
      access.pointee.lacksEntry = false
      let step = qprof_unw_step(cursor)
      if access.pointee.lacksEntry, !isTrampoline {
        let old = unwind_frame(
          pc: isExact ? frame.rip | RowUnwinder.exact : frame.rip, rsp: frame.rsp, rbp: frame.rbp)
        if let next = frameBelowStub(old, step) {
          frame = next
          isExact = false
          continue
        }
        var caller = old
        let ending = RowUnwinder(access: access, addresses: addresses).step(&caller)
        guard ending == UNWIND_CONTINUES, let next = resume(at: caller, space) else {
          return ending == UNWIND_NO_INFO || ending == UNWIND_NOT_SUPPORTED ? .noEntry : .failed
        }
        frame = next
        isExact = true
        continue
      }
      if step == 0 { return .noCaller }
      guard step > 0, let next = self.frame(), next.rip != 0 else { return .failed }
      if next.rip == frame.rip && next.rsp == frame.rsp { return .failed }
      isExact = isTrampoline
      frame = next
    }
    return .tooDeep
  }

  /// The code that a signal handler returns to: `mov $15,%rax; syscall`. Its caller was
  /// interrupted, not left by a call.
  private func isSignalReturn(_ pc: UInt64, in region: RegionView) -> Bool {
    region.image?.pointee.load(pc &- region.bias) == 0x0f00_0000_0fc0_c748
  }

  /// libunwind knows stubs of the procedure linkage table, whose return address is on top of the
  /// stack, without an entry.
  private func frameBelowStub(_ old: unwind_frame, _ step: Int32) -> Frame? {
    guard step > 0, let next = frame(), next.rsp == old.rsp &+ 8, next.rip != 0,
      access.pointee.loadStack(old.rsp) == next.rip
    else { return nil }
    return next
  }

  /// Goes on from a frame that was found without libunwind.
  private func resume(at frame: unwind_frame, _ space: unw_addr_space_t) -> Frame? {
    // libunwind looks a fresh cursor's pc up as it is, so it is moved into the call here.
    let rip = unwind_lookup_address(frame.pc)
    registers[Register.rip] = rip
    registers[Register.rsp] = frame.rsp
    registers[Register.rbp] = frame.rbp
    guard qprof_unw_init_remote(cursor, space, access) == 0 else { return nil }
    return Frame(rip: rip, rsp: frame.rsp, rbp: frame.rbp)
  }

  /// Whether the stack is complete, and if not, why.
  private func judge(
    _ ending: Ending, _ sample: RawSample, _ addresses: AddressSpace, _ result: inout UnwoundStack
  ) -> FrameMarker? {
    guard let last = result.addresses.last else { return .brokenChain }
    let region = addresses.region(containing: last)
    if let region, let image = region.image, ending != .tooDeep,
      image.isOutermost(region.fileAddress(last).rawValue)
    {
      return nil
    }
    if ending == .tooDeep { return .tooDeep }
    if sample.isUnreadable { return .stackUnreadable }
    if sample.isCapped, access.pointee.wantedMore { return .stackCapped }
    // Mappings are kept when they go: only code that ran can be missing, not a return address.
    if region == nil, result.addresses.count == 1 { return .objectUnloaded }
    return ending == .noEntry ? .noUnwindInfo : .brokenChain
  }
}
