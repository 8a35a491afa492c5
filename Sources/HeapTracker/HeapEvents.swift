import CAgentWire
import CLinux
import Capture
import ProfileModel

// MARK: - Reading

extension HeapEngine {
  /// Takes events of `thread` as long as their time is before `limit`. Events without a time
  /// follow the one before them at once.
  mutating func run(_ thread: UnsafeMutablePointer<TrackedThread>, before limit: UInt64) -> Stop {
    let head = thread.pointee.ring.head
    var position = thread.pointee.position
    let first = position
    var fetched = position
    defer { thread.pointee.position = position }
    while position != head {
      if position &- first >= Self.chunk { return .chunk }
      fetch(to: min(head, position &+ Self.lookAhead), from: &fetched, thread)
      let word = thread.pointee.word(at: position)
      let left = head &- position
      let time = word >> UInt64(QPROF_EVENT_TIME_SHIFT)
      switch UInt32(truncatingIfNeeded: word & 7) {
      case 0: return .record
      case QPROF_EVENT_ALLOCATE.rawValue:
        guard time < limit else { return .later(time) }
        guard left >= 24 else { return .bad }
        let place = thread.pointee.word(at: position &+ 8)
        let size = min(thread.pointee.word(at: position &+ 16), Self.largestSize)
        let address = place & (1 << UInt64(QPROF_EVENT_STACK_SHIFT) &- 1)
        guard address != 0 else { return .bad }
        position &+= 24
        let site = site(place >> UInt64(QPROF_EVENT_STACK_SHIFT), of: thread)
        allocate(
          Block(
            address: address, size: size, time: readTime ?? min(time, now), site: site,
            thread: thread.pointee.number), thread)
      case QPROF_EVENT_FREE.rawValue:
        guard time < limit else { return .later(time) }
        guard left >= 16 else { return .bad }
        let address = thread.pointee.word(at: position &+ 8)
        position &+= 16
        let isLast =
          weights == nil && thread.pointee.last == .allocation
          && thread.pointee.lastAddress == address
        release(address, at: readTime ?? min(time, now), isLast: isLast, thread)
      case QPROF_EVENT_FREE_LAST.rawValue:
        position &+= 8
        releaseLast(thread)
      case QPROF_EVENT_UNDO_FREE.rawValue:
        guard left >= 16 else { return .bad }
        let address = thread.pointee.word(at: position &+ 8)
        position &+= 16
        undo(address, thread)
      default: return .bad
      }
    }
    return .empty
  }

  /// Bytes of events whose blocks are on their way into the cache: in a large heap each is a miss,
  /// of which so many can be under way at once.
  private static let lookAhead: UInt64 = 256

  /// Has the blocks brought in that the events from `position` on are about.
  @inline(__always) private func fetch(
    to end: UInt64, from position: inout UInt64, _ thread: UnsafeMutablePointer<TrackedThread>
  ) {
    while position < end {
      switch UInt32(truncatingIfNeeded: thread.pointee.word(at: position) & 7) {
      case QPROF_EVENT_ALLOCATE.rawValue:
        blocks.prefetch(
          thread.pointee.word(at: position &+ 8) & (1 << UInt64(QPROF_EVENT_STACK_SHIFT) &- 1))
        position &+= 24
      case QPROF_EVENT_FREE.rawValue:
        blocks.prefetch(thread.pointee.word(at: position &+ 8))
        position &+= 16
      case QPROF_EVENT_FREE_LAST.rawValue: position &+= 8
      case QPROF_EVENT_UNDO_FREE.rawValue: position &+= 16
      default: position = end  // a record, whose length is read when it is its turn
      }
    }
  }

  @inline(__always) private func site(
    _ index: UInt64, of thread: UnsafeMutablePointer<TrackedThread>
  ) -> UInt32 {
    index < UInt64(thread.pointee.siteCount) ? thread.pointee.sites[Int(index)] : 0
  }
}

// MARK: - Events

extension HeapEngine {
  @inline(__always) private mutating func grow(_ amount: HeapAmount, at time: UInt64) {
    live += amount
    guard live.bytes > timeline.largest else { return }
    timeline.largest = live.bytes
    guard live.bytes > peak.bytes else { return }
    peak = live
    peakTime = time
    epoch &+= 1
  }

  @inline(__always) private static func bucket(_ value: UInt64) -> Int {
    63 &- (value | 1).leadingZeroBitCount
  }

  @inline(__always) private mutating func allocate(
    _ block: Block, _ thread: UnsafeMutablePointer<TrackedThread>
  ) {
    if block.time >= timeline.end { timeline.move(to: block.time, live: live.bytes) }
    if let old = blocks.find(block.address) { contradict(old) }
    blocks.insert(block)
    if let weights { draw(weights, block.size, Int(block.site)) }
    let amount = amount(block.size)
    let site = sites + Int(block.site)
    touch(site)
    site.pointee.allocated += amount
    thread.pointee.allocated += amount
    sizes[Self.bucket(block.size)] += amount
    timeline.allocations &+= amount.count
    thread.pointee.last = .allocation
    thread.pointee.lastAddress = block.address
    thread.pointee.lastTime = block.time
    grow(amount, at: block.time)
  }

  /// The release of the block was not seen; it must have happened.
  @inline(never) private mutating func contradict(_ old: UnsafeMutablePointer<Block>) {
    contradictions &+= 1
    let block = old.pointee
    blocks.remove(old)
    let site = sites + Int(block.site)
    touch(site)
    let amount = amount(block.size)
    site.pointee.freed += amount
    live -= amount
  }

  @inline(__always) private mutating func release(
    _ address: UInt64, at time: UInt64, isLast: Bool,
    _ thread: UnsafeMutablePointer<TrackedThread>
  ) {
    if time >= timeline.end { timeline.move(to: time, live: live.bytes) }
    thread.pointee.last = .free
    thread.pointee.freedAt = time
    guard let found = blocks.find(address) else {
      unknownFrees &+= 1
      thread.pointee.freedIsKnown = false
      thread.pointee.freed.address = address
      return
    }
    let block = found.pointee
    blocks.remove(found)
    let isTemporary = isLast && block.thread == thread.pointee.number
    thread.pointee.freed = block
    thread.pointee.freedIsKnown = true
    thread.pointee.freedIsTemporary = isTemporary
    let amount = amount(block.size)
    let site = sites + Int(block.site)
    touch(site)
    site.pointee.freed += amount
    thread.pointee.freedAmount += amount
    live -= amount
    if isTemporary {
      site.pointee.temporary += amount
      thread.pointee.temporary += amount
    } else {
      lifetimes[lifetime(of: block, until: time)] += amount
    }
  }

  @inline(__always) private func lifetime(of block: Block, until time: UInt64) -> Int {
    let ticks = time > block.time ? time &- block.time : 0
    let product = ticks.multipliedFullWidth(by: nanosecondsPerTick)
    return Self.bucket(product.high &<< 32 | product.low &>> 32)
  }

  @inline(__always) private mutating func releaseLast(
    _ thread: UnsafeMutablePointer<TrackedThread>
  ) {
    guard thread.pointee.last == .allocation else {
      contradictions &+= 1
      return
    }
    // Its time is not told; it is over before the thread does anything else.
    release(thread.pointee.lastAddress, at: thread.pointee.lastTime, isLast: true, thread)
  }

  @inline(never) private mutating func undo(
    _ address: UInt64, _ thread: UnsafeMutablePointer<TrackedThread>
  ) {
    let block = thread.pointee.freed
    guard thread.pointee.last == .free, block.address == address,
      blocks.find(address) == nil
    else {
      contradictions &+= 1
      return
    }
    thread.pointee.last = .none
    guard thread.pointee.freedIsKnown else {
      unknownFrees &-= 1
      return
    }
    let amount = amount(block.size)
    blocks.insert(block)
    let site = sites + Int(block.site)
    touch(site)
    site.pointee.freed -= amount
    thread.pointee.freedAmount -= amount
    if thread.pointee.freedIsTemporary {
      site.pointee.temporary -= amount
      thread.pointee.temporary -= amount
      thread.pointee.last = .allocation
      thread.pointee.lastAddress = address
    } else {
      lifetimes[lifetime(of: block, until: thread.pointee.freedAt)] -= amount
    }
    grow(amount, at: thread.pointee.freedAt)
  }
}
