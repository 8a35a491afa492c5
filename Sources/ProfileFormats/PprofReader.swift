package import ProfileModel
import SwiftProtobuf

extension Pprof {
  /// A profile that unpacks to more than this is refused.
  package static let maximumSize = 1 << 29

  /// Reads a profile, packed by gzip or not, of pprof or of any of the many tools that write its
  /// format.
  ///
  /// Of several kinds of values one is taken, those that `values` says. Where that is CPU time and
  /// the file also counts samples of one period each, the counts are taken and the period is kept,
  /// as in qprof's own recordings.
  package static func decode(
    _ bytes: [UInt8], values: ProfileValues = .fileDefault
  ) throws(ProfileFormatError) -> Profile {
    var decoder = PprofDecoder(try message(bytes))
    let (types, chosen): ([ValueType], Int?)
    do {
      types = try decoder.types()
      chosen = try decoder.index(of: values, among: types)
    } catch {
      throw .pprof(error.rule)
    }
    guard let chosen else {
      throw ProfileFormatError(.noSuchValues(values, present: types.map(\.kind)))
    }
    do {
      return try decoder.decode(types, chosen, as: values)
    } catch {
      throw .pprof(error.rule)
    }
  }

  /// The message as it stands in the file.
  static func message(_ bytes: [UInt8]) throws(ProfileFormatError) -> PprofProfile {
    let unpacked = bytes.starts(with: Gzip.magic) ? try unpack(bytes) : bytes
    guard unpacked.count <= maximumSize else {
      throw ProfileFormatError(.tooLarge(limit: maximumSize))
    }
    _ = try ProtobufScan(unpacked)
    do {
      return try PprofProfile(serializedBytes: unpacked)
    } catch {
      throw .pprof("protocol buffer decoding failed (\(error))")
    }
  }

  static func unpack(_ bytes: [UInt8]) throws(ProfileFormatError) -> [UInt8] {
    do {
      return try Gzip.decompress(bytes, limit: maximumSize)
    } catch {
      switch error {
      case .tooLarge: throw ProfileFormatError(.tooLarge(limit: maximumSize))
      case .corrupt(let byte, let reason): throw .pprof(at: byte, "gzip: \(reason)")
      }
    }
  }
}

private struct PprofDecoder {
  /// Locations with inlined functions multiply stacks, so the product is bounded.
  private static let maximumStackNodes = 1 << 26

  private let message: PprofProfile
  private var profile = Profile()
  private var mappings: [UInt64: ID<Mapping>] = [:]
  private var functions: [UInt64: ID<Function>] = [:]
  /// Root first: a location without an address becomes one for each of its inlined functions.
  private var locations: [UInt64: [ID<Location>]] = [:]
  private var processes: [ProcessImage: ID<ProcessImage>] = [:]
  private var threads: [ThreadInfo: ID<ThreadInfo>] = [:]

  init(_ message: PprofProfile) { self.message = message }

  /// What the values of a sample mean.
  func types() throws(BrokenRule) -> [ValueType] {
    guard message.stringTable.first == "" else {
      throw BrokenRule("its first string is not the empty one")
    }
    var types: [ValueType] = []
    for type in message.sampleType { types.append(try valueType(type)) }
    guard !types.isEmpty else { throw BrokenRule("it says of no value what it means") }
    return types
  }

  /// Which of the values of a sample to take; nil where there are none of that kind.
  func index(of values: ProfileValues, among types: [ValueType]) throws(BrokenRule) -> Int? {
    switch values {
    case .fileDefault:
      let wanted = try text(message.defaultSampleType)
      return types.firstIndex { $0.kind == wanted } ?? types.firstIndex { $0.kind == "cpu" }
        ?? types.indices.last
    case .cpu: return types.firstIndex { $0.kind == "cpu" } ?? types.firstIndex(of: .samplesCount)
    case .heap(.leaked):
      // Without the values of everything allocated, pprof calls it by the second name.
      return types.firstIndex(of: HeapMetric.leaked.valueType) ?? types.firstIndex(of: .spaceBytes)
    case .heap(let metric): return types.firstIndex(of: metric.valueType)
    }
  }

  mutating func decode(
    _ types: [ValueType], _ chosen: Int, as values: ProfileValues
  ) throws(BrokenRule) -> Profile {
    for row in message.mapping { try add(row) }
    for row in message.function { try add(row) }
    for row in message.location { try add(row) }
    try addSamples(try setValues(types, chosen))
    if case .heap(let metric) = values { profile.valueType = metric.valueType }
    profile.provenance.startTime = max(0, Double(message.timeNanos) / 1e9)
    profile.provenance.duration = Nanoseconds(max(0, message.durationNanos))
    profile.provenance.engine = "pprof"
    try profile.checkRules()
    return profile
  }

  private func text(_ index: Int64) throws(BrokenRule) -> String {
    guard index >= 0, index < message.stringTable.count else {
      throw BrokenRule("string \(index) is none of its \(message.stringTable.count)")
    }
    return message.stringTable[Int(index)]
  }

  // MARK: - Tables

  private mutating func add(_ row: PprofMapping) throws(BrokenRule) {
    guard row.id != 0, mappings[row.id] == nil else {
      throw BrokenRule("mapping id \(row.id) is 0 or there twice")
    }
    let path = try text(row.filename)
    let kind = kind(ofPath: path)
    let mapping = Mapping(
      kind: kind,
      path: profile.strings.intern(kind == .anonymous ? "[anonymous]" : path),
      buildID: BuildID(hex: try text(row.buildID)), start: FileAddress(row.memoryStart),
      end: FileAddress(row.memoryLimit), offset: FileOffset(row.fileOffset))
    mappings[row.id] = profile.mappings.intern(mapping)
  }

  private mutating func add(_ row: PprofFunction) throws(BrokenRule) {
    guard row.id != 0, functions[row.id] == nil else {
      throw BrokenRule("function id \(row.id) is 0 or there twice")
    }
    let (name, systemName, file) = (
      try text(row.name), try text(row.systemName), try text(row.filename)
    )
    let shown = name.isEmpty ? systemName : name
    let nameID = profile.strings.intern(shown.isEmpty ? Folded.unknown : shown)
    let function = Function(
      name: nameID,
      systemName: systemName.isEmpty ? nameID : profile.strings.intern(systemName),
      file: file.isEmpty ? nil : profile.strings.intern(file),
      startLine: Int32(exactly: row.startLine) ?? 0)
    functions[row.id] = profile.functions.intern(function)
  }

  private mutating func add(_ row: PprofLocation) throws(BrokenRule) {
    guard row.id != 0, locations[row.id] == nil else {
      throw BrokenRule("location id \(row.id) is 0 or there twice")
    }
    var lines: [Line] = []
    for line in row.line {
      guard let function = functions[line.functionID] else {
        throw BrokenRule("location \(row.id): function \(line.functionID) does not exist")
      }
      lines.append(Line(function: function, line: Int32(exactly: line.line) ?? 0))
    }
    guard row.mappingID == 0 || mappings[row.mappingID] != nil else {
      throw BrokenRule("location \(row.id): mapping \(row.mappingID) does not exist")
    }
    locations[row.id] = profile.internLocation(
      mapping: mappings[row.mappingID], address: row.address, lines: lines)
  }

  // MARK: - Samples

  private mutating func addSamples(_ values: Int) throws(BrokenRule) {
    for (number, sample) in message.sample.enumerated() {
      guard sample.value.count == message.sampleType.count else {
        throw BrokenRule(
          "sample \(number) has \(sample.value.count) values for "
            + "\(message.sampleType.count) types")
      }
      var stack: ID<StackNode>?
      for id in sample.locationID.reversed() {
        guard let parts = locations[id] else {
          throw BrokenRule("sample \(number): location \(id) does not exist")
        }
        for location in parts {
          stack = profile.stacks.intern(StackNode(parent: stack, location: location))
        }
      }
      guard profile.stacks.count <= Self.maximumStackNodes else {
        throw BrokenRule("sample \(number): more than \(Self.maximumStackNodes) distinct frames")
      }
      let weight = sample.value[values]
      // It is there for the sake of its other values.
      guard weight != 0 || sample.value.allSatisfy({ $0 == 0 }) else { continue }
      let owner = try owner(sample.label)
      var row = Sample(time: Nanoseconds(0), thread: owner.thread, stack: stack, weight: weight)
      row.process = owner.process
      profile.samples.append(row)
    }
  }

  /// Sets the value type and the period; gives the index of the values to take, which is that of
  /// the counts where CPU time was chosen and they say the same.
  private mutating func setValues(_ types: [ValueType], _ chosen: Int) throws(BrokenRule) -> Int {
    let period = Period(type: try valueType(message.periodType), value: message.period)
    profile.valueType = types[chosen]
    if types[chosen] == .samplesCount, period.value > 0 {
      profile.period = period
    } else if period.type.unit == "bytes", period.value > 0 {
      profile.period = period
    } else if let counts = types.firstIndex(of: .samplesCount), types[chosen] == period.type,
      message.sample.allSatisfy({ isCounted($0, by: period.value, counts, chosen) })
    {
      profile.valueType = .samplesCount
      profile.period = period
      return counts
    }
    return chosen
  }

  private func isCounted(
    _ sample: PprofSample, by period: Int64, _ counts: Int, _ values: Int
  ) -> Bool {
    guard period > 0, sample.value.count == message.sampleType.count else { return false }
    let (product, overflow) = sample.value[counts].multipliedReportingOverflow(by: period)
    return !overflow && product == sample.value[values]
  }

  private func valueType(_ type: PprofValueType) throws(BrokenRule) -> ValueType {
    ValueType(kind: try text(type.type), unit: try text(type.unit))
  }

  // MARK: - Threads

  /// The thread that the labels `thread`, `tid`, `process` and `pid` tell, as qprof writes them;
  /// the process where only that is told.
  private mutating func owner(_ labels: [PprofLabel]) throws(BrokenRule)
    -> (thread: ID<ThreadInfo>?, process: ID<ProcessImage>?)
  {
    var texts: [String: String] = [:]
    var numbers: [String: Int32] = [:]
    for label in labels {
      let key = try text(label.key)
      switch key {
      case "thread", "process": texts[key] = try text(label.str)
      case "tid", "pid": numbers[key] = Int32(exactly: label.num)
      default: break
      }
    }
    guard !texts.isEmpty || !numbers.isEmpty else { return (nil, nil) }
    let process = ProcessImage(
      pid: numbers["pid"] ?? 0, parentPID: 0,
      name: profile.strings.intern(texts["process"] ?? ""), start: Nanoseconds(0))
    let processID = processes[process] ?? profile.processes.append(process)
    processes[process] = processID
    guard texts["thread"] != nil || numbers["tid"] != nil else { return (nil, processID) }
    let thread = ThreadInfo(
      process: processID, tid: numbers["tid"] ?? 0,
      name: profile.strings.intern(texts["thread"] ?? ""))
    let threadID = threads[thread] ?? profile.threads.append(thread)
    threads[thread] = threadID
    return (threadID, nil)
  }
}
