package import ProfileModel
import SwiftProtobuf

/// The format of pprof: docs/formats/pprof.md.
package enum Pprof {
  /// The profile as a gzip file that pprof reads. Samples of one stack and one thread are merged;
  /// their order is that of their first appearance, so equal profiles give equal bytes.
  ///
  /// A heap is written with all values that pprof knows, unless the samples are a view of it.
  package static func encode(_ profile: Profile) -> [UInt8] {
    var encoder = PprofEncoder(profile)
    encoder.encode()
    return packed(encoder.message)
  }

  static func packed(_ message: PprofProfile) -> [UInt8] {
    do {
      return Gzip.compress(try message.serializedBytes())
    } catch {
      // Proto3 has no required fields, so only running out of memory is left.
      preconditionFailure("\(error)")
    }
  }
}

struct PprofEncoder {
  private let profile: Profile
  private let samples: PprofSamples
  private(set) var message = PprofProfile()
  private var stringIDs: [String: Int64] = [:]
  /// By id in the profile; 0 where nothing was written yet.
  private var mappingIDs: [UInt64]
  private var locationIDs: [UInt64]
  private var functionIDs: [UInt64]
  private var markerFunctions: [FrameMarker: UInt64] = [:]

  init(_ profile: Profile) {
    self.profile = profile
    samples = PprofSamples(profile)
    mappingIDs = Array(repeating: 0, count: profile.mappings.count)
    locationIDs = Array(repeating: 0, count: profile.locations.count)
    functionIDs = Array(repeating: 0, count: profile.functions.count)
  }

  mutating func encode() {
    _ = string("")
    addTypes()
    addMappings()
    addSamples()
    markSymbolizedMappings()
    addProvenance()
  }

  private mutating func string(_ text: String) -> Int64 {
    if let id = stringIDs[text] { return id }
    let id = Int64(message.stringTable.count)
    message.stringTable.append(text)
    stringIDs[text] = id
    return id
  }
  private mutating func string(_ id: ID<String>) -> Int64 { string(profile.strings[id]) }

  // MARK: - Values

  private mutating func addTypes() {
    for type in samples.types { message.sampleType.append(valueType(type)) }
    if let type = samples.defaultType { message.defaultSampleType = string(type.kind) }
    if let period = samples.period {
      message.periodType = valueType(period.type)
      message.period = period.value
    }
  }

  private mutating func valueType(_ type: ValueType) -> PprofValueType {
    var result = PprofValueType()
    result.type = string(type.kind)
    result.unit = string(type.unit)
    return result
  }

  // MARK: - Mappings

  /// All mappings, the main binary first, as pprof's tools expect it.
  private mutating func addMappings() {
    let main = (profile.samples.isEmpty ? profile.view(of: .bytes) : profile).mainBinary
    let all = (0..<profile.mappings.count).map { ID<Mapping>($0) }
    let order = (main.map { [$0] } ?? []) + all.filter { $0 != main }
    for id in order {
      let row = profile.mappings[id]
      var mapping = PprofMapping()
      mapping.id = UInt64(message.mapping.count + 1)
      mapping.memoryStart = row.start.rawValue
      mapping.memoryLimit = row.end.rawValue
      mapping.fileOffset = row.offset.rawValue
      mapping.filename = string(row.path)
      mapping.buildID = string(row.buildID?.hex ?? "")
      message.mapping.append(mapping)
      mappingIDs[id.index] = mapping.id
    }
  }

  /// Says for each mapping what its locations have, so that pprof need not look for symbols.
  private mutating func markSymbolizedMappings() {
    for location in message.location where location.mappingID != 0 && !location.line.isEmpty {
      let row = Int(location.mappingID) - 1
      let functions = location.line.map { message.function[Int($0.functionID) - 1] }
      message.mapping[row].hasFunctions_p = true
      if functions.contains(where: { $0.filename != 0 }) {
        message.mapping[row].hasFilenames_p = true
      }
      if location.line.contains(where: { $0.line != 0 }) {
        message.mapping[row].hasLineNumbers_p = true
      }
      if location.line.count > 1 { message.mapping[row].hasInlineFrames_p = true }
    }
  }

  // MARK: - Samples

  private mutating func addSamples() {
    for key in samples.keys {
      var sample = PprofSample()
      sample.locationID = profile.locations(of: key.stack).map { location($0) }
      sample.value = samples[key]
      sample.label = key.owner.map { labels($0) } ?? []
      message.sample.append(sample)
    }
  }

  private mutating func labels(_ owner: PprofSamples.Owner) -> [PprofLabel] {
    var labels: [PprofLabel] = []
    if let thread = owner.thread { labels.append(label("thread", text: thread)) }
    if let tid = owner.tid { labels.append(label("tid", number: tid)) }
    labels.append(label("process", text: owner.process))
    labels.append(label("pid", number: owner.pid))
    return labels
  }

  private mutating func label(_ key: String, text: ID<String>) -> PprofLabel {
    var label = PprofLabel()
    label.key = string(key)
    label.str = string(text)
    return label
  }

  private mutating func label(_ key: String, number: Int32) -> PprofLabel {
    var label = PprofLabel()
    label.key = string(key)
    label.num = Int64(number)
    return label
  }

  // MARK: - Locations

  private mutating func location(_ id: ID<Location>) -> UInt64 {
    if locationIDs[id.index] != 0 { return locationIDs[id.index] }
    let row = profile.locations[id]
    var location = PprofLocation()
    location.id = UInt64(message.location.count + 1)
    location.line = row.lines.map { line(function($0.function), $0.line) }
    switch row.place {
    case .code(let mapping, let address):
      location.mappingID = mappingIDs[mapping.index]
      location.address = address.rawValue
    case .unmapped(let address):
      location.address = address.rawValue
    case .named(let id):
      if row.lines.isEmpty { location.line = [line(function(id), 0)] }
    case .marker(let marker):
      location.line = [line(function(marker), 0)]
    }
    message.location.append(location)
    locationIDs[id.index] = location.id
    return location.id
  }

  private func line(_ function: UInt64, _ number: Int32) -> PprofLine {
    var line = PprofLine()
    line.functionID = function
    line.line = Int64(number)
    return line
  }

  private mutating func function(_ id: ID<Function>) -> UInt64 {
    if functionIDs[id.index] != 0 { return functionIDs[id.index] }
    let row = profile.functions[id]
    var function = PprofFunction()
    function.name = string(row.name)
    function.systemName = string(row.systemName)
    function.filename = row.file.map { string($0) } ?? 0
    function.startLine = Int64(row.startLine)
    functionIDs[id.index] = append(function)
    return functionIDs[id.index]
  }

  private mutating func function(_ marker: FrameMarker) -> UInt64 {
    if let id = markerFunctions[marker] { return id }
    var function = PprofFunction()
    function.name = string(marker.label)
    function.systemName = function.name
    let id = append(function)
    markerFunctions[marker] = id
    return id
  }

  private mutating func append(_ function: PprofFunction) -> UInt64 {
    let id = UInt64(message.function.count + 1)
    message.function.append(function)
    message.function[message.function.count - 1].id = id
    return id
  }

  // MARK: - Provenance

  private mutating func addProvenance() {
    let provenance = profile.provenance
    message.timeNanos = Int64(exactly: (provenance.startTime * 1e9).rounded()) ?? 0
    message.durationNanos = provenance.duration.rawValue
    message.comment = profile.comments.map { string($0) }
  }
}
