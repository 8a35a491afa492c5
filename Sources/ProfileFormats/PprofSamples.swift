import ProfileModel

/// The samples of a profile as pprof has them: one for each stack and owner, with every kind of
/// value that the profile has.
struct PprofSamples {
  struct Key: Hashable {
    var stack: ID<StackNode>?
    var owner: Owner?
  }
  /// By value: two rows of the thread table may look the same, as after an exec. Amounts of memory
  /// have no thread.
  struct Owner: Hashable {
    var thread: ID<String>?
    var tid: Int32?
    var process: ID<String>
    var pid: Int32
  }

  /// What the values mean: those of the samples, then those of the heap.
  let types: [ValueType]
  /// What pprof shows when nothing else is asked for; nil for its own choice.
  let defaultType: ValueType?
  let period: Period?
  /// In the order in which they first appear.
  private(set) var keys: [Key] = []
  private var values: [Key: [Int64]] = [:]

  subscript(key: Key) -> [Int64] { values[key] ?? [] }

  init(_ profile: Profile) {
    // A view of a heap is that already.
    let heap = profile.heapMetric == nil ? profile.heap : nil
    let sites = (heap?.sites ?? []).filter { $0.kind == .block }
    let hasSamples = !profile.samples.isEmpty || sites.isEmpty
    let cpuPeriod = Self.cpuPeriod(profile)
    var types: [ValueType] = []
    if hasSamples {
      types = [profile.valueType] + (cpuPeriod == nil ? [] : [.cpuNanoseconds])
      defaultType = cpuPeriod == nil ? nil : .cpuNanoseconds
      period = profile.period
    } else {
      defaultType = HeapMetric.leaked.valueType
      period = heap?.mode.period
    }
    let firstOfHeap = types.count
    if !sites.isEmpty { types += Self.heapTypes }
    self.types = types

    for sample in profile.samples {
      let owner = profile.process(of: sample).map { Owner($0, sample.thread, in: profile) }
      let weight = sample.weight
      add(
        cpuPeriod.map { [weight, weight * $0] } ?? [weight], at: 0,
        to: Key(stack: sample.stack, owner: owner))
    }
    for site in sites {
      add(
        [site.allocated.count, site.allocated.bytes, site.live.count, site.live.bytes],
        at: firstOfHeap, to: Key(stack: site.stack, owner: Owner(site.process, nil, in: profile)))
    }
  }

  private static let heapTypes = [
    HeapMetric.allocs.valueType, HeapMetric.bytes.valueType, .inUseObjects,
    HeapMetric.leaked.valueType,
  ]

  /// The length of a unit of weight on the CPU clock, when that is not the weight's own unit.
  private static func cpuPeriod(_ profile: Profile) -> Int64? {
    guard let period = profile.period, period.type == .cpuNanoseconds,
      profile.valueType != period.type
    else { return nil }
    return period.value
  }

  private mutating func add(_ new: [Int64], at first: Int, to key: Key) {
    if values[key] == nil {
      keys.append(key)
      values[key] = Array(repeating: 0, count: types.count)
    }
    for (index, value) in new.enumerated() { values[key]?[first + index] += value }
  }
}

extension PprofSamples.Owner {
  fileprivate init(_ process: ID<ProcessImage>, _ thread: ID<ThreadInfo>?, in profile: Profile) {
    let image = profile.processes[process]
    let info = thread.map { profile.threads[$0] }
    self.init(thread: info?.name, tid: info?.tid, process: image.name, pid: image.pid)
  }
}

extension ValueType {
  static let samplesCount = ValueType(kind: "samples", unit: "count")
  static let cpuNanoseconds = ValueType(kind: "cpu", unit: "nanoseconds")
  static let spaceBytes = ValueType(kind: "space", unit: "bytes")
  static let inUseObjects = ValueType(kind: "inuse_objects", unit: "count")
}
