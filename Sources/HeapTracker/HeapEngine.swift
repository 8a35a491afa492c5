import CAgentWire
import Capture
import Glibc
import ProfileModel

/// Sums of one site. In a sampled profile counts are in units of ``Weights/unit``.
struct SiteSums {
  var allocated = HeapAmount()
  var freed = HeapAmount()
  var temporary = HeapAmount()
  /// What was live when the heap was largest for the `epoch`th time. While `epoch` is an earlier
  /// one, nothing has changed since, and it is what is live now.
  var saved = HeapAmount()
  var epoch: UInt64 = 0

  @inline(__always) var live: HeapAmount {
    HeapAmount(
      count: allocated.count &- freed.count, bytes: allocated.bytes &- freed.bytes)
  }
}

extension HeapAmount {
  @inline(__always) static func += (a: inout Self, b: Self) {
    a.count &+= b.count
    a.bytes &+= b.bytes
  }
  @inline(__always) static func -= (a: inout Self, b: Self) {
    a.count &-= b.count
    a.bytes &-= b.bytes
  }
}

/// The heap of one process, event by event: nothing here counts references or looks into a
/// dictionary, and memory is allocated only for more live blocks and more sites.
///
/// What it holds is its own memory; whoever keeps it calls ``free()``.
struct HeapEngine {
  enum Stop {
    /// All is read.
    case empty
    /// The next event is not due: its time.
    case later(UInt64)
    /// A record with a header is next.
    case record
    /// Enough has been read to be given back.
    case chunk
    /// What is next cannot be.
    case bad
  }

  /// So much of a ring is given back at once, while its thread goes on writing.
  static let chunk: UInt64 = 16 << 10
  static let buckets = 64
  /// No block is larger: user addresses have 47 bits.
  static let largestSize: UInt64 = 1 << 47

  var blocks = BlockTable()
  var sites: UnsafeMutablePointer<SiteSums>
  var siteCount = 1  // site 0 has no stack
  private var siteCapacity = 64
  var live = HeapAmount()
  var peak = HeapAmount()
  var peakTime: UInt64 = 0
  var epoch: UInt64 = 1
  var timeline: Timeline
  let sizes: UnsafeMutablePointer<HeapAmount>
  let lifetimes: UnsafeMutablePointer<HeapAmount>
  var unknownFrees: Int64 = 0
  /// Events that contradict others: an allocation where a block is live, the undoing of a free
  /// that was none. Lost events lead to them.
  var contradictions: Int64 = 0
  /// Nil when every event is seen.
  let weights: Weights?
  /// In a sampled profile, by site.
  var draws: [Draws] = []
  /// Nanoseconds of a tick, with 32 binary places.
  var nanosecondsPerTick: UInt64 = 1 << 32
  /// Where events tell an order and no time: when they were read.
  var readTime: UInt64?
  /// No event is later, whatever it says.
  var now = UInt64.max

  /// What sampling saw of a site.
  struct Draws {
    var count: Int64 = 0
    var countVariance = 0.0
    var bytesVariance = 0.0
  }

  init(weights: Weights?, timelineWidth: UInt64) {
    self.weights = weights
    timeline = Timeline(width: timelineWidth)
    sites = .allocate(capacity: siteCapacity)
    sites.initialize(repeating: SiteSums(), count: siteCapacity)
    sizes = .allocate(capacity: Self.buckets)
    sizes.initialize(repeating: HeapAmount(), count: Self.buckets)
    lifetimes = .allocate(capacity: Self.buckets)
    lifetimes.initialize(repeating: HeapAmount(), count: Self.buckets)
  }

  func free() {
    blocks.free()
    timeline.free()
    sites.deallocate()
    sizes.deallocate()
    lifetimes.deallocate()
  }

  mutating func setClock(_ clock: EventClock) {
    nanosecondsPerTick = UInt64(min(max(clock.nanosecondsPerTick, 0), 1000) * 0x1p32)
    now = clock.eventTime
    readTime = clock.isCounted ? now : nil
  }

  mutating func addSite() -> UInt32 {
    if siteCount == siteCapacity {
      let new = UnsafeMutablePointer<SiteSums>.allocate(capacity: siteCapacity * 2)
      new.moveInitialize(from: sites, count: siteCount)
      (new + siteCount).initialize(repeating: SiteSums(), count: siteCapacity * 2 - siteCount)
      sites.deallocate()
      sites = new
      siteCapacity *= 2
    }
    siteCount += 1
    return UInt32(siteCount - 1)
  }

  /// Notes that an allocation of a site was drawn.
  @inline(never) mutating func draw(_ weights: Weights, _ size: UInt64, _ site: Int) {
    while draws.count <= site { draws.append(Draws()) }
    let variances = weights.variances(size)
    draws[site].count += 1
    draws[site].countVariance += variances.count
    draws[site].bytesVariance += variances.bytes
  }

  /// What was live at the peak, of one site.
  func atPeak(_ site: Int) -> HeapAmount {
    sites[site].epoch == epoch ? sites[site].saved : sites[site].live
  }
}

// MARK: - Sites

extension HeapEngine {
  @inline(__always) func amount(_ size: UInt64) -> HeapAmount {
    guard let weights else { return HeapAmount(count: 1, bytes: Int64(bitPattern: size)) }
    return weights.amount(size)
  }

  /// Saves what was live at the peak, before a site changes.
  @inline(__always) func touch(_ site: UnsafeMutablePointer<SiteSums>) {
    if site.pointee.epoch != epoch {
      site.pointee.saved = site.pointee.live
      site.pointee.epoch = epoch
    }
  }

  /// Changes a site of mappings, which are no part of the heap.
  mutating func add(_ amount: HeapAmount, to site: UInt32) {
    touch(sites + Int(site))
    sites[Int(site)].allocated += amount
  }

  mutating func remove(_ amount: HeapAmount, from site: UInt32) {
    touch(sites + Int(site))
    sites[Int(site)].freed += amount
  }
}
