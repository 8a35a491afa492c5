import ProfileModel
import TestSupport

/// A heap profile that changes from call to call as one does while a program runs.
struct GrowingHeap {
  private(set) var profile: Profile
  private var random: RepeatableRandom

  init(seed: Int, mode: HeapProfile.Mode) {
    profile = RandomProfile(seed: seed).profile
    random = RepeatableRandom(seed: UInt64(seed) &+ 77)
    profile.heap = HeapProfile(mode: mode)
  }

  private mutating func number(_ limit: Int64) -> Int64 {
    // Small and large ones are equally likely.
    Int64.random(in: 0..<limit, using: &random) >> Int64.random(in: 0..<40, using: &random)
  }
  private mutating func amount() -> HeapAmount {
    HeapAmount(count: number(1 << 30), bytes: number(1 << 40))
  }

  mutating func grow() {
    guard var heap = profile.heap else { return }
    profile.samples = []
    addSites(&heap)
    for row in heap.sites.indices where Bool.random(using: &random) {
      let more = amount()
      heap.sites[row].allocated += more
      if Bool.random(using: &random) { heap.sites[row].freed += more }
      heap.sites[row].atPeak = amount()
      heap.sites[row].temporary = amount()
    }
    for process in profile.processes.ids where Bool.random(using: &random) {
      if !heap.processes.contains(where: { $0.process == process }) {
        heap.processes.append(HeapProcess(process: process))
        heap.processes.sort { $0.process < $1.process }
      }
    }
    for row in heap.processes.indices { change(&heap.processes[row]) }
    heap.threads = profile.threads.ids.map { id in
      var thread = HeapThread(thread: id)
      thread.allocated = amount()
      thread.freed = amount()
      thread.temporary = amount()
      return thread
    }
    profile.heap = heap
  }

  private mutating func addSites(_ heap: inout HeapProfile) {
    for _ in 0..<5 {
      let stack = ID<StackNode>(Int.random(in: 0..<profile.stacks.count, using: &random))
      var site = HeapSite(
        process: ID(Int.random(in: 0..<profile.processes.count, using: &random)),
        kind: HeapSite.Kind.allCases[Int.random(in: 0..<3, using: &random)],
        stack: Bool.random(using: &random) ? stack : nil)
      let isKnown = heap.sites.contains {
        $0.process == site.process && $0.kind == site.kind && $0.stack == site.stack
      }
      guard !isKnown else { continue }
      site.drawn = number(1000)
      site.countVariance = Double(number(1 << 50)) / 3
      site.bytesVariance = Double(number(1 << 60)) / 7
      heap.sites.append(site)
    }
  }

  private mutating func change(_ process: inout HeapProcess) {
    process.allocated += amount()
    process.freed = amount()
    process.peak = amount()
    process.peakTime = Nanoseconds(number(1 << 40))
    process.temporary = amount()
    process.failed += 1
    process.unknownFrees = number(1 << 20)
    process.reentrant = number(1 << 20)
    process.lost = number(1 << 20)
    process.truncated = number(1 << 20)
    process.untracked = Bool.random(using: &random) ? "it defines malloc itself; ß" : nil
    if process.sizes.isEmpty || Bool.random(using: &random) {
      process.sizes.append(Bool.random(using: &random) ? amount() : HeapAmount())
    }
    for bucket in process.sizes.indices where Bool.random(using: &random) {
      process.sizes[bucket] += amount()
    }
    if Bool.random(using: &random) { process.lifetimes.append(amount()) }
    change(&process.timeline)
    var residency = HeapResidency()
    residency.time = Nanoseconds(number(1 << 40))
    residency.anonymous = Bytes(number(1 << 40))
    residency.file = Bytes(number(1 << 40))
    residency.shared = Bytes(number(1 << 40))
    residency.heap = Bytes(number(1 << 40))
    residency.agent = Bytes(number(1 << 30))
    residency.rings = Bytes(number(1 << 30))
    process.residency = residency
  }

  /// Adds steps, and joins pairs of them when there are many.
  private mutating func change(_ timeline: inout HeapTimeline) {
    if timeline.width.rawValue == 0 { timeline.width = Nanoseconds(1_000_000) }
    for _ in 0..<3 {
      timeline.steps.append(
        HeapTimeline.Step(
          largest: number(1 << 40), live: number(1 << 40), resident: number(1 << 40),
          allocations: number(1 << 20)))
    }
    guard timeline.steps.count > 8 else { return }
    timeline.width = Nanoseconds(timeline.width.rawValue * 2)
    timeline.steps.removeLast(timeline.steps.count / 2)
  }
}

extension HeapAmount {
  fileprivate static func += (a: inout Self, b: Self) {
    a.count += b.count
    a.bytes += b.bytes
  }
}
