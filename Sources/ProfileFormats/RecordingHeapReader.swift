import GRDB
import ProfileModel

/// Decodes the tables of a heap profile. As for the others, sums and references are checked
/// afterwards by ``Profile/checkRules()``.
extension RecordingTables {
  /// Reads them where `meta` has told that there are some.
  mutating func readHeap() throws {
    guard profile.heap != nil else { return }
    try RecordingSchema.check(RecordingSchema.heapTables, in: db)
    try readSites()
    try readHeapProcesses()
    try readHeapThreads()
  }

  private mutating func readSites() throws {
    try forEachRow(of: "heap_site") { row in
      guard let kind = HeapSite.Kind(rawValue: try row.text(2)) else {
        throw row.broken("unknown kind '\(try row.text(2))'")
      }
      var site = HeapSite(process: try row.id(1), kind: kind, stack: try row.optionalID(3))
      site.allocated = try row.amount(4)
      site.freed = try row.amount(6)
      site.atPeak = try row.amount(8)
      site.temporary = try row.amount(10)
      site.drawn = try row.int64(12)
      site.countVariance = try row.double(13)
      site.bytesVariance = try row.double(14)
      profile.heap?.sites.append(site)
    }
  }

  private mutating func readHeapProcesses() throws {
    var processes: [ID<ProcessImage>: HeapProcess] = [:]
    var order: [ID<ProcessImage>] = []
    try forEachRow(of: "heap_process", key: "process") { row in
      let process = try heapProcess(row)
      guard process.process.index > (order.last?.index ?? -1) else {
        throw row.broken("rows are not in the order of their processes")
      }
      order.append(process.process)
      processes[process.process] = process
    }
    try readHistograms(into: &processes)
    try readSteps(into: &processes)
    try readResidencies(into: &processes)
    profile.heap?.processes = order.compactMap { processes[$0] }
  }

  private func heapProcess(_ row: RecordingRow) throws -> HeapProcess {
    var process = HeapProcess(process: try row.id(0))
    process.allocated = try row.amount(1)
    process.freed = try row.amount(3)
    process.peak = try row.amount(5)
    process.temporary = try row.amount(7)
    process.peakTime = Nanoseconds(try row.int64(9))
    process.failed = try row.int64(10)
    process.unknownFrees = try row.int64(11)
    process.reentrant = try row.int64(12)
    process.lost = try row.int64(13)
    process.truncated = try row.int64(14)
    process.untracked = row.isNull(15) ? nil : try row.text(15)
    process.timeline.start = Nanoseconds(try row.int64(16))
    process.timeline.width = Nanoseconds(try row.int64(17))
    return process
  }

  private func readHistograms(into processes: inout [ID<ProcessImage>: HeapProcess]) throws {
    var last: (Int64, String, Int64) = (-1, "", -1)
    try forEachRow(of: "heap_histogram", key: "process, kind, bucket") { row in
      let place = (try row.int64(0), try row.text(1), try row.int64(2))
      guard last < place else { throw row.broken("rows are not in order") }
      last = place
      let process = try row.process(0, among: processes)
      guard let path = RecordingSchema.histograms.first(where: { $0.kind == place.1 })?.path else {
        throw row.broken("unknown histogram '\(place.1)'")
      }
      guard let bucket = Int(exactly: place.2), RecordingSchema.buckets.contains(bucket) else {
        throw row.broken("bucket \(place.2) is none of \(RecordingSchema.buckets)")
      }
      let amount = try row.amount(3)
      processes[process]?[keyPath: path].grow(to: bucket + 1)
      processes[process]?[keyPath: path][bucket] = amount
    }
  }

  private func readSteps(into processes: inout [ID<ProcessImage>: HeapProcess]) throws {
    try forEachRow(of: "heap_step", key: "process, step") { row in
      let process = try row.process(0, among: processes)
      // Numbers that count from 0 also end the walk through a damaged tree.
      guard try row.int64(1) == Int64(processes[process]?.timeline.steps.count ?? 0) else {
        throw row.broken("steps of process \(process.index) do not count from 0")
      }
      processes[process]?.timeline.steps.append(
        HeapTimeline.Step(
          largest: try row.int64(2), live: try row.int64(3), resident: try row.int64(4),
          allocations: try row.int64(5)))
    }
  }

  private func readResidencies(into processes: inout [ID<ProcessImage>: HeapProcess]) throws {
    try forEachRow(of: "heap_residency", key: "process") { row in
      let process = try row.process(0, among: processes)
      guard processes[process]?.residency == nil else {
        throw row.broken("a process is there twice")
      }
      var residency = HeapResidency()
      residency.time = Nanoseconds(try row.int64(1))
      residency.anonymous = Bytes(try row.int64(2))
      residency.file = Bytes(try row.int64(3))
      residency.shared = Bytes(try row.int64(4))
      residency.heap = Bytes(try row.int64(5))
      residency.agent = Bytes(try row.int64(6))
      residency.rings = Bytes(try row.int64(7))
      processes[process]?.residency = residency
    }
  }

  private mutating func readHeapThreads() throws {
    try forEachRow(of: "heap_thread", key: "thread") { row in
      var thread = HeapThread(thread: try row.id(0))
      guard thread.thread.index > (profile.heap?.threads.last?.thread.index ?? -1) else {
        throw row.broken("rows are not in the order of their threads")
      }
      thread.allocated = try row.amount(1)
      thread.freed = try row.amount(3)
      thread.temporary = try row.amount(5)
      profile.heap?.threads.append(thread)
    }
  }
}

extension RecordingRow {
  /// The columns `first` and the one after it.
  func amount(_ first: Int) throws -> HeapAmount {
    HeapAmount(count: try int64(first), bytes: try int64(first + 1))
  }

  func double(_ column: Int) throws -> Double {
    guard case .double(let value) = value(column).storage else { throw wrongType(column) }
    return value
  }

  fileprivate func process(
    _ column: Int, among processes: [ID<ProcessImage>: HeapProcess]
  ) throws -> ID<ProcessImage> {
    let process: ID<ProcessImage> = try id(column)
    guard processes[process] != nil else {
      throw broken("process \(process.index) has no row in heap_process")
    }
    return process
  }
}

extension [HeapAmount] {
  fileprivate mutating func grow(to size: Int) {
    while count < size { append(HeapAmount()) }
  }
}
