package import ProfileModel

/// The text that `perf script` prints: docs/formats/perf-script.md.
package enum PerfScript {
  /// Reads the samples of the first event that occurs. Lines that are neither a sample's header
  /// nor one of its frames, and samples of other events, are passed over and counted.
  package static func decode(_ bytes: [UInt8]) throws(ProfileFormatError) -> (
    profile: Profile, skipped: SkippedLines
  ) {
    var reader = PerfScriptReader()
    var number = 1
    for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      reader.read(trimmed(line), number)
      number += 1
    }
    let profile = try reader.finish()
    return (profile, reader.skipped)
  }

  /// Whether one of the first lines is the header of a sample.
  static func recognizes(_ bytes: [UInt8]) -> Bool {
    bytes.prefix(1 << 16).split(separator: UInt8(ascii: "\n"), maxSplits: 100)
      .contains { PerfScriptHeader(trimmed($0)) != nil }
  }
}

private struct PerfScriptReader {
  private var profile = Profile()
  private(set) var skipped = SkippedLines()
  private var event: String?
  private var mappings: [String: ID<Mapping>] = [:]
  private var processes: [ProcessKey: ID<ProcessImage>] = [:]
  private var threads: [ThreadInfo: ID<ThreadInfo>] = [:]
  /// One for each sample, where all headers so far had one.
  private var periods: [Int64]? = []

  /// The sample that is being read: nil between samples.
  private var header: PerfScriptHeader?
  private var frames: [PerfScriptFrame] = []

  /// The pid, or where headers have only thread ids, the name.
  private struct ProcessKey: Hashable {
    var pid: Int32?
    var name: String
  }

  mutating func read(_ line: ArraySlice<UInt8>, _ number: Int) {
    if line.isEmpty { return endSample() }
    if line.first == UInt8(ascii: "#") { return }
    if let next = PerfScriptHeader(line) {
      endSample()
      guard next.event == event ?? next.event else { return skipped.add(number, line) }
      event = next.event
      header = next
      if let frame = PerfScriptFrame(next.rest) { frames.append(frame) }
    } else if header != nil, let frame = PerfScriptFrame(line) {
      frames.append(frame)
    } else if event == nil || header != nil {
      // The frames of a sample that was passed over are not counted again.
      skipped.add(number, line)
    }
  }

  mutating func finish() throws(ProfileFormatError) -> Profile {
    endSample()
    guard !profile.samples.isEmpty else {
      throw ProfileFormatError(
        .malformed(.perfScript, at: nil, rule: "no line is the header of a sample"))
    }
    setWeights()
    let start = profile.samples.map(\.time).min() ?? Nanoseconds(0)
    for row in profile.samples.indices {
      profile.samples[row].time = profile.samples[row].time - start
    }
    profile.provenance.duration = profile.samples.map(\.time).max() ?? Nanoseconds(0)
    profile.provenance.engine = "perf"
    do {
      try profile.checkRules()
    } catch {
      throw ProfileFormatError(.malformed(.perfScript, at: nil, rule: error.rule))
    }
    return profile
  }

  /// Equal periods are one fact about all samples; others are what each sample weighs.
  private mutating func setWeights() {
    guard let periods, let first = periods.first, first > 0, let event else { return }
    let type = valueType(ofEvent: event)
    if periods.allSatisfy({ $0 == first }) {
      profile.period = Period(type: type, value: first)
    } else {
      profile.valueType = type
      for row in periods.indices { profile.samples[row].weight = periods[row] }
    }
  }

  /// perf's software clocks count nanoseconds, everything else events.
  private func valueType(ofEvent event: String) -> ValueType {
    let name = event.split(separator: ":").first.map(String.init) ?? event
    return ["cpu-clock", "task-clock"].contains(name)
      ? .cpuNanoseconds : ValueType(kind: event, unit: "count")
  }

  private mutating func endSample() {
    guard let header else { return }
    self.header = nil
    if let period = header.period { periods?.append(period) } else { periods = nil }
    let stack = internStack()
    profile.samples.append(
      Sample(time: header.time, thread: thread(of: header), stack: stack, weight: 1))
  }

  private mutating func internStack() -> ID<StackNode>? {
    var stack: ID<StackNode>?
    for frame in frames.reversed() {
      let line = frame.symbol.map { Line(function: function($0), line: 0) }
      // Inlined functions are entered by name: perf prints some of them without the frame that
      // they were inlined into.
      let places = profile.internLocation(
        mapping: mapping(frame.object), address: frame.isInlined ? 0 : frame.address,
        lines: line.map { [$0] } ?? [])
      for location in places {
        stack = profile.stacks.intern(StackNode(parent: stack, location: location))
      }
    }
    frames = []
    return stack
  }

  private mutating func function(_ symbol: String) -> ID<Function> {
    let name = profile.strings.intern(symbol)
    return profile.functions.intern(Function(name: name, systemName: name, file: nil))
  }

  /// Addresses are those of the running process, so a mapping spans them all.
  private mutating func mapping(_ object: String?) -> ID<Mapping>? {
    guard let object, object != "[unknown]", object != "inlined" else { return nil }
    if let known = mappings[object] { return known }
    let mapping = profile.mappings.intern(
      Mapping(
        kind: kind(ofPath: object), path: profile.strings.intern(object), buildID: nil,
        start: FileAddress(0), end: FileAddress(.max), offset: FileOffset(0)))
    mappings[object] = mapping
    return mapping
  }

  private mutating func thread(of header: PerfScriptHeader) -> ID<ThreadInfo> {
    let name = profile.strings.intern(header.command)
    let key = ProcessKey(pid: header.pid, name: header.pid == nil ? header.command : "")
    let process =
      processes[key]
      ?? profile.processes.append(
        ProcessImage(
          pid: header.pid ?? header.tid, parentPID: 0, name: name, start: Nanoseconds(0)))
    processes[key] = process
    let thread = ThreadInfo(process: process, tid: header.tid, name: name)
    let id = threads[thread] ?? profile.threads.append(thread)
    threads[thread] = id
    return id
  }
}
