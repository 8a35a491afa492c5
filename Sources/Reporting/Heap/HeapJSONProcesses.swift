import ProfileModel

extension HeapDocument {
  struct Process: Encodable {
    struct Residency: Encodable {
      var seconds: Double
      var total: Int64
      var parts: [String: Int64]
    }
    struct Timeline: Encodable {
      var startSeconds: Double
      var stepSeconds: Double
      var largest: [Int64]
      var live: [Int64]
      var resident: [Int64]
      var allocations: [Int64]
    }
    var pid: Int32
    var name: String
    var allocated: Amount
    var freed: Amount
    var temporary: Amount
    var peak: Amount
    var peakSeconds: Double
    var failed: Int64
    var unknownFrees: Int64
    var reentrant: Int64
    var lost: Int64
    var truncated: Int64
    var untracked: String?
    var residency: Residency?
    var timeline: Timeline?

    init(_ process: HeapReport.Process) {
      let heap = process.heap
      pid = process.pid
      name = process.name
      allocated = Amount(heap.allocated)
      freed = Amount(heap.freed)
      temporary = Amount(heap.temporary)
      peak = Amount(heap.peak)
      peakSeconds = heap.peakTime.seconds
      failed = heap.failed
      unknownFrees = heap.unknownFrees
      reentrant = heap.reentrant
      lost = heap.lost
      truncated = heap.truncated
      untracked = heap.untracked
      residency = heap.residency.map(Residency.init)
      timeline = heap.timeline.steps.isEmpty ? nil : Timeline(heap.timeline)
    }
  }

  struct Thread: Encodable {
    var pid: Int32
    var tid: Int32
    var name: String
    var allocated: Amount
    var freed: Amount
    var temporary: Amount

    init(_ thread: HeapReport.Thread) {
      pid = thread.pid
      tid = thread.tid
      name = thread.name
      allocated = Amount(thread.heap.allocated)
      freed = Amount(thread.heap.freed)
      temporary = Amount(thread.heap.temporary)
    }
  }
}

extension HeapDocument.Process.Residency {
  fileprivate init(_ residency: HeapResidency) {
    self.init(
      seconds: residency.time.seconds, total: residency.total,
      parts: Dictionary(
        uniqueKeysWithValues: residency.parts.map { ($0.part.rawValue, $0.bytes) }))
  }
}

extension HeapDocument.Process.Timeline {
  fileprivate init(_ timeline: HeapTimeline) {
    self.init(
      startSeconds: timeline.start.seconds, stepSeconds: timeline.width.seconds,
      largest: timeline.steps.map(\.largest), live: timeline.steps.map(\.live),
      resident: timeline.steps.map(\.resident), allocations: timeline.steps.map(\.allocations))
  }
}
