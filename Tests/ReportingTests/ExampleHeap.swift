import ProfileModel
import TestSupport

/// Builds heaps of a few sites by hand.
struct HeapBuilder {
  var profile = Profile()
  var heap: HeapProfile
  private(set) var processes: [ID<ProcessImage>] = []

  init(mode: HeapProfile.Mode = .full) { heap = HeapProfile(mode: mode) }

  /// Adds a process without figures.
  mutating func addProcess(_ name: String, pid: Int32) {
    let image = profile.processes.append(
      ProcessImage(
        pid: pid, parentPID: 1, name: profile.strings.intern(name), start: Nanoseconds(0)))
    processes.append(image)
    heap.processes.append(HeapProcess(process: image))
  }

  /// Frames are `function` or `function@file:line`, root first; in module `/bin/MODULE`.
  mutating func stack(_ frames: [String], module: String = "server", offset: UInt64 = 0)
    -> ID<StackNode>?
  {
    var leaf: ID<StackNode>?
    let mapping = profile.mappings.intern(
      Mapping(
        kind: .file, path: profile.strings.intern("/bin/" + module), buildID: nil,
        start: FileAddress(0), end: FileAddress(1 << 40), offset: FileOffset(0)))
    for frame in frames {
      let parts = frame.split(separator: "@")
      let name = profile.strings.intern(String(parts[0]))
      let source = parts.count > 1 ? parts[1].split(separator: ":") : []
      let file = source.first.map { profile.strings.intern("/src/" + $0) }
      let function = profile.functions.intern(Function(name: name, systemName: name, file: file))
      let line = source.count > 1 ? Int32(source[1]) ?? 0 : 0
      // One address for each function and line.
      let address = offset + UInt64(function.rawValue) * 4096 + UInt64(line)
      let location = profile.locations.intern(.code(mapping, FileAddress(address)))
      profile.locations.setLines([Line(function: function, line: line)], of: location)
      leaf = profile.stacks.intern(StackNode(parent: leaf, location: location))
    }
    return leaf
  }

  /// Functions and the modules that they are in, root first.
  mutating func stack(_ frames: [(String, String)]) -> ID<StackNode>? {
    var leaf: ID<StackNode>?
    for (name, module) in frames {
      let mapping = profile.mappings.intern(
        Mapping(
          kind: .file, path: profile.strings.intern("/lib/" + module), buildID: nil,
          start: FileAddress(0), end: FileAddress(1 << 40), offset: FileOffset(0)))
      let name = profile.strings.intern(name)
      let function = profile.functions.intern(Function(name: name, systemName: name, file: nil))
      let location = profile.locations.intern(
        .code(mapping, FileAddress(UInt64(function.rawValue))))
      profile.locations.setLines([Line(function: function, line: 0)], of: location)
      leaf = profile.stacks.intern(StackNode(parent: leaf, location: location))
    }
    return leaf
  }

  /// Adds a site of process `process` and what it has to the process's totals.
  mutating func add(
    _ stack: ID<StackNode>?, process: Int = 0, kind: HeapSite.Kind = .block,
    allocated: (Int64, Int64), freed: (Int64, Int64) = (0, 0), atPeak: (Int64, Int64) = (0, 0),
    temporary: (Int64, Int64) = (0, 0), drawn: Int64 = 0, variances: (Double, Double) = (0, 0)
  ) {
    var site = HeapSite(process: processes[process], kind: kind, stack: stack)
    site.allocated = HeapAmount(count: allocated.0, bytes: allocated.1)
    site.freed = HeapAmount(count: freed.0, bytes: freed.1)
    site.atPeak = HeapAmount(count: atPeak.0, bytes: atPeak.1)
    site.temporary = HeapAmount(count: temporary.0, bytes: temporary.1)
    site.drawn = drawn
    (site.countVariance, site.bytesVariance) = variances
    heap.sites.append(site)
    guard kind == .block else { return }
    heap.processes[process].allocated.count += allocated.0
    heap.processes[process].allocated.bytes += allocated.1
    heap.processes[process].freed.count += freed.0
    heap.processes[process].freed.bytes += freed.1
    heap.processes[process].peak.count += atPeak.0
    heap.processes[process].peak.bytes += atPeak.1
    heap.processes[process].temporary.count += temporary.0
    heap.processes[process].temporary.bytes += temporary.1
  }

  var built: Profile {
    var built = profile
    built.heap = heap
    return built
  }
}

extension HeapBuilder {
  /// A server and a helper: 1,240 allocations, two of its leaks expected.
  ///
  /// | site | allocated | freed | at peak | temporary |
  /// |---|---|---|---|---|
  /// | parse, from load | 1,000 × 64 B | 1,000 | 900 | 0 |
  /// | parse, from reload | 100 × 64 B | 90 | 0 | 0 |
  /// | format, through operator new | 100 × 32 B | 100 | 0 | 100 |
  /// | cache | 2 × 4 KiB | 0 | 2 | 0 |
  /// | emergency pool | 1 × 72,704 B | 0 | 1 | 0 |
  /// | no stack | 7 × 16 B | 7 | 0 | 0 |
  /// | helper: work | 30 × 1,000 B | 29 | 30 | 0 |
  static func example() -> HeapBuilder {
    var builder = HeapBuilder()
    builder.addProcess("server", pid: 100)
    builder.addProcess("helper", pid: 101)
    builder.addSites()
    builder.addOverviews()
    builder.profile.provenance = .example
    builder.profile.provenance.command = ["./server", "--port", "80"]
    builder.profile.provenance.bench = nil
    builder.profile.provenance.requestedRate = 0
    builder.profile.provenance.effectiveRate = 0
    builder.profile.provenance.duration = Nanoseconds(2_000_000_000)
    return builder
  }

  private mutating func addSites() {
    let load = stack(["main@main.c:10", "load@load.c:7", "parse@json.c:120"])
    let reload = stack(["main@main.c:12", "reload@load.c:40", "parse@json.c:120"])
    let format = stack(["main@main.c:14", "format@text.cc:9", "operator new(unsigned long)"])
    let cache = stack(["main@main.c:16", "fill_cache@cache.c:3", "xmalloc@x.c:2"])
    let pool = stack(["_dl_init", "__gnu_cxx::__freeres_pool"], module: "libstdc++.so.6")
    let work = stack(["main@help.c:5", "work@help.c:9"], module: "helper")
    add(load, allocated: (1000, 64_000), freed: (1000, 64_000), atPeak: (900, 57_600))
    add(reload, allocated: (100, 6_400), freed: (90, 5_760))
    add(format, allocated: (100, 3_200), freed: (100, 3_200), temporary: (100, 3_200))
    add(cache, allocated: (2, 8_192), atPeak: (2, 8_192))
    add(pool, allocated: (1, 72_704), atPeak: (1, 72_704))
    add(nil, allocated: (7, 112), freed: (7, 112))
    add(work, process: 1, allocated: (30, 30_000), freed: (29, 29_000), atPeak: (30, 30_000))
    let map = stack(["main@main.c:18", "map_file@map.c:4"])
    add(map, kind: .mapping, allocated: (3, 12 << 20), freed: (1, 4 << 20))
    add(map, kind: .programBreak, allocated: (1, 132 << 10))
  }

  private mutating func addOverviews() {
    heap.processes[0].peakTime = Nanoseconds(1_250_000_000)
    heap.processes[1].peakTime = Nanoseconds(400_000_000)
    heap.processes[0].failed = 2
    heap.processes[0].unknownFrees = 1
    heap.processes[0].sizes = [.init(), .init(), .init(), .init(), .init(count: 7, bytes: 112)]
    heap.processes[0].sizes += [
      .init(count: 100, bytes: 3_200), .init(count: 1_100, bytes: 70_400), .init(), .init(),
      .init(),
      .init(), .init(), .init(count: 2, bytes: 8_192), .init(), .init(), .init(),
      .init(count: 1, bytes: 72_704),
    ]
    heap.processes[1].sizes =
      Array(repeating: .init(), count: 9) + [.init(count: 30, bytes: 30_000)]
    heap.processes[0].lifetimes =
      Array(repeating: .init(), count: 10) + [
        .init(count: 90, bytes: 5_760), .init(count: 7, bytes: 112),
        .init(count: 1_000, bytes: 64_000),
      ]
    addThreads()
    addResidency()
    addTimeline()
  }

  private mutating func addThreads() {
    let names = [("server", Int32(100), 0), ("worker", 102, 0), ("helper", 101, 1)]
    let amounts = [
      ((1_110, 148_208), (1_097, 69_072)), ((100, 6_400), (100, 3_200)),
      ((30, 30_000), (29, 29_000)),
    ].map { a, b in
      (
        HeapAmount(count: Int64(a.0), bytes: Int64(a.1)),
        HeapAmount(count: Int64(b.0), bytes: Int64(b.1))
      )
    }
    for ((name, tid, process), (allocated, freed)) in zip(names, amounts) {
      let thread = profile.threads.append(
        ThreadInfo(process: processes[process], tid: tid, name: profile.strings.intern(name)))
      var row = HeapThread(thread: thread)
      row.allocated = allocated
      row.freed = freed
      heap.threads.append(row)
    }
    heap.threads[0].temporary = HeapAmount(count: 100, bytes: 3_200)
  }

  private mutating func addResidency() {
    var residency = HeapResidency()
    residency.time = Nanoseconds(1_300_000_000)
    residency.anonymous = Bytes(1_000_000)
    residency.file = Bytes(2_500_000)
    residency.shared = Bytes(300_000)
    residency.heap = Bytes(138_496)
    residency.agent = Bytes(200_000)
    residency.rings = Bytes(262_144)
    heap.processes[0].residency = residency
  }

  /// Grows to the peak in the third step.
  private mutating func addTimeline() {
    heap.processes[0].timeline.start = Nanoseconds(0)
    heap.processes[0].timeline.width = Nanoseconds(500_000_000)
    heap.processes[0].timeline.steps = [
      .init(largest: 80_000, live: 73_000, resident: 2_000_000, allocations: 110),
      .init(largest: 110_000, live: 110_000, resident: 3_500_000, allocations: 600),
      .init(largest: 138_496, live: 120_000, resident: 3_800_000, allocations: 400),
      .init(largest: 121_000, live: 81_536, resident: 3_600_000, allocations: 100),
    ]
  }
}
