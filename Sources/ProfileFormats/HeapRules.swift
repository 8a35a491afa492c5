import ProfileModel

extension Profile {
  /// What a heap profile promises besides: no number is negative, all of them together do not
  /// overflow, nothing is freed that was not allocated at a site, and no process, thread or site
  /// is there twice.
  func checkHeap() throws(BrokenRule) {
    guard let heap else { return }
    if case .sample(let interval) = heap.mode, interval.rawValue <= 0 {
      throw BrokenRule("heap: the sampling interval of \(interval.rawValue) bytes is not positive")
    }
    var rules = HeapRules()
    for (row, site) in heap.sites.enumerated() {
      try check(site.process, in: processes.count, "heap site \(row): process")
      try check(site.stack, in: stacks.count, "heap site \(row): stack")
      try rules.check(site, "heap site \(row)")
    }
    for process in heap.processes {
      try check(process.process, in: processes.count, "heap: process")
      try rules.check(process, "heap of process \(process.process.index)")
    }
    for thread in heap.threads {
      try check(thread.thread, in: threads.count, "heap: thread")
      try rules.check(thread, "heap of thread \(thread.thread.index)")
    }
  }
}

private struct HeapRules {
  private var sites: Set<HeapSite.Key> = []
  private var processes: Set<ID<ProcessImage>> = []
  private var threads: Set<ID<ThreadInfo>> = []
  /// Of every number so far, so that no sum of some of them needs to be checked again.
  private var total: Int64 = 0

  mutating func check(_ site: HeapSite, _ what: String) throws(BrokenRule) {
    try add([site.allocated, site.freed, site.atPeak, site.temporary], what)
    try add([site.drawn], what)
    guard site.live.count >= 0, site.live.bytes >= 0 else {
      throw BrokenRule("\(what): more is freed than was allocated")
    }
    for variance in [site.countVariance, site.bytesVariance] {
      guard variance >= 0, variance.isFinite else {
        throw BrokenRule("\(what): \(variance) is no variance")
      }
    }
    guard sites.insert(site.key).inserted else { throw BrokenRule("\(what): it is there twice") }
  }

  mutating func check(_ process: HeapProcess, _ what: String) throws(BrokenRule) {
    guard processes.insert(process.process).inserted else {
      throw BrokenRule("\(what): it is there twice")
    }
    try add([process.allocated, process.freed, process.peak, process.temporary], what)
    try add(process.sizes + process.lifetimes, what)
    try add(
      [
        process.failed, process.unknownFrees, process.reentrant, process.lost, process.truncated,
        process.peakTime.rawValue,
      ], what)
    let timeline = process.timeline
    try add([timeline.start.rawValue, timeline.width.rawValue], what)
    let (length, overflow) = timeline.width.rawValue.multipliedReportingOverflow(
      by: Int64(timeline.steps.count))
    guard !overflow, timeline.steps.isEmpty || length > 0 else {
      throw BrokenRule("\(what): steps of \(timeline.width.rawValue) ns are not possible")
    }
    try add([length], what)
    for step in timeline.steps {
      try add([step.largest, step.live, step.resident, step.allocations], what)
    }
    guard let residency = process.residency else { return }
    try add(
      [
        residency.time.rawValue, residency.anonymous.rawValue, residency.file.rawValue,
        residency.shared.rawValue, residency.heap.rawValue, residency.agent.rawValue,
        residency.rings.rawValue,
      ], what)
  }

  mutating func check(_ thread: HeapThread, _ what: String) throws(BrokenRule) {
    guard threads.insert(thread.thread).inserted else {
      throw BrokenRule("\(what): it is there twice")
    }
    try add([thread.allocated, thread.freed, thread.temporary], what)
  }

  private mutating func add(_ amounts: [HeapAmount], _ what: String) throws(BrokenRule) {
    for amount in amounts { try add([amount.count, amount.bytes], what) }
  }

  private mutating func add(_ numbers: [Int64], _ what: String) throws(BrokenRule) {
    for number in numbers {
      guard number >= 0 else { throw BrokenRule("\(what): \(number) is negative") }
      let (sum, overflow) = total.addingReportingOverflow(number)
      guard !overflow else { throw BrokenRule("\(what): the numbers of the heap overflow") }
      total = sum
    }
  }
}
