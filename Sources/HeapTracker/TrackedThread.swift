import CAgentWire
import Capture
import ProfileModel

/// What is known of one thread's ring and its last event.
struct TrackedThread {
  /// Its number in the process, by which blocks tell who allocated them.
  let number: UInt32
  var ring: HeapRing
  /// Bytes of the ring that are read, and of these, given back.
  var position: UInt64
  var published: UInt64
  /// Site of each stack that the thread has told, by its index; 0 where it has told none.
  private(set) var sites: UnsafeMutablePointer<UInt32>
  private(set) var siteCount = 0

  enum Event { case none, allocation, free }
  var last = Event.none
  /// Of the last allocation.
  var lastAddress: UInt64 = 0
  var lastTime: UInt64 = 0
  /// The block of the last free, in case it did not happen, and when it was freed.
  var freed = Block()
  var freedAt: UInt64 = 0
  var freedIsKnown = false
  var freedIsTemporary = false

  var allocated = HeapAmount()
  var freedAmount = HeapAmount()
  var temporary = HeapAmount()

  init(number: UInt32, ring: HeapRing) {
    self.number = number
    self.ring = ring
    position = ring.tail
    published = ring.tail
    sites = .allocate(capacity: 0)
  }

  func free() { sites.deallocate() }

  @inline(__always) func word(at position: UInt64) -> UInt64 {
    let offset = Int(position & UInt64(QPROF_RING_SIZE &- 1))
    return ring.bytes.load(fromByteOffset: offset, as: UInt64.self)
  }

  /// Gives back what is read.
  mutating func publish() {
    guard position != published else { return }
    published = position
    ring.advance(to: position)
  }

  /// Passes over what cannot be read.
  mutating func drop() {
    position = ring.head
    last = .none
  }

  /// - Parameter index: less than `QPROF_STACK_INDICES`.
  mutating func setSite(_ site: UInt32, of index: Int) {
    if index >= siteCount {
      let larger = max(64, min(Int(QPROF_STACK_INDICES), (index + 1).nextPowerOf2))
      let new = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
      new.initialize(repeating: 0, count: larger)
      new.update(from: sites, count: siteCount)
      sites.deallocate()
      sites = new
      siteCount = larger
    }
    sites[index] = site
  }
}

extension Int {
  /// The smallest power of two that is not less than this positive number.
  fileprivate var nextPowerOf2: Int { 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount) }
}
