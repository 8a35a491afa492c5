import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

/// Messages as other tools write them, and as none should.
@Suite struct PprofReaderTests {
  /// One sample of main > work with a value for each of `types`.
  private func message(
    types: [(String, String)] = [("samples", "count")], values: [Int64] = [3]
  ) -> PprofProfile {
    var message = PprofProfile()
    message.stringTable = [""]
    func string(_ text: String) -> Int64 {
      message.stringTable.append(text)
      return Int64(message.stringTable.count - 1)
    }
    for (kind, unit) in types {
      var type = PprofValueType()
      type.type = string(kind)
      type.unit = string(unit)
      message.sampleType.append(type)
    }
    var mapping = PprofMapping()
    mapping.id = 9
    mapping.memoryLimit = 0x9000
    mapping.filename = string("/bin/app")
    message.mapping = [mapping]
    for (id, name) in [(UInt64(5), "main"), (6, "work")] {
      var function = PprofFunction()
      function.id = id
      function.name = string(name)
      message.function.append(function)
      var line = PprofLine()
      line.functionID = id
      line.line = 40
      var location = PprofLocation()
      location.id = id + 100
      location.mappingID = 9
      location.address = 0x1000 * id
      location.line = [line]
      message.location.append(location)
    }
    var sample = PprofSample()
    sample.locationID = [106, 105]
    sample.value = values
    message.sample = [sample]
    return message
  }

  private func read(_ message: PprofProfile) throws -> Profile {
    try Pprof.decode(Pprof.packed(message))
  }

  private func rule(_ change: (inout PprofProfile) -> Void) -> String? {
    var message = message()
    change(&message)
    do {
      _ = try Pprof.decode(Pprof.packed(message))
      return nil
    } catch {
      guard case .malformed(.pprof, _, let rule) = error.problem else { return "\(error)" }
      return rule
    }
  }

  @Test func anyIdsAreFine() throws {
    let profile = try read(message())
    #expect(Folded.encode(profile) == "main;work 3\n")
    let leaf = try #require(profile.locations(of: profile.samples[0].stack).first)
    #expect(profile.frames(of: leaf)[0].module == "/bin/app")
    #expect(profile.frames(of: leaf)[0].line == 40)
  }

  @Test func oneKindOfValueIsTaken() throws {
    let heap = [
      ("alloc_objects", "count"), ("alloc_space", "bytes"), ("inuse_objects", "count"),
      ("inuse_space", "bytes"),
    ]
    var message = message(types: heap, values: [1, 20, 300, 4000])
    #expect(try read(message).valueType == ValueType(kind: "inuse_space", unit: "bytes"))
    #expect(try read(message).samples[0].weight == 4000)
    message.defaultSampleType = message.sampleType[1].type
    #expect(try read(message).samples[0].weight == 20)

    let cpu = self.message(types: [("cpu", "seconds"), ("wall", "seconds")], values: [7, 9])
    #expect(try read(cpu).samples[0].weight == 7)
  }

  @Test func countsAreTakenWhereTheyTellAll() throws {
    var message = message(
      types: [("samples", "count"), ("cpu", "nanoseconds")], values: [3, 30_000_000])
    message.periodType = message.sampleType[1]
    message.period = 10_000_000
    #expect(try read(message).valueType == .samplesCount)
    #expect(try read(message).period == .cpu(Nanoseconds(10_000_000)))
    message.sample[0].value = [3, 30_000_001]
    #expect(try read(message).valueType == .cpuNanoseconds)
    #expect(try read(message).samples[0].weight == 30_000_001)
    #expect(try read(message).period == nil)
    message.sample[0].value = [.max, .max]
    #expect(try read(message).samples[0].weight == .max)
  }

  @Test func placesWithoutAddressesAreKnownByName() throws {
    var message = message()
    for row in message.location.indices { message.location[row].address = 0 }
    // main was inlined into work, at the leaf.
    message.location[1].line.insert(message.location[0].line[0], at: 0)
    #expect(Folded.encode(try read(message)) == "main;work;main 3\n")
  }

  @Test func oneAddressWithTwoFunctionsKeepsBoth() throws {
    var message = message()
    message.location[1].address = message.location[0].address
    #expect(Folded.encode(try read(message)) == "main;work 3\n")
  }

  @Test func pathsTellTheKindOfMapping() {
    #expect(kind(ofPath: "/bin/a") == .file)
    #expect(kind(ofPath: "/bin/a (deleted)") == .deleted)
    #expect(kind(ofPath: "[vdso]") == .vdso)
    #expect(kind(ofPath: "//anon") == .anonymous)
    #expect(kind(ofPath: "") == .anonymous)
  }

  @Test func brokenRulesAreNamed() {
    #expect(rule { $0.stringTable[0] = "x" } == "its first string is not the empty one")
    #expect(rule { $0.stringTable = [] } == "its first string is not the empty one")
    #expect(rule { $0.function[0].name = 99 } == "string 99 is none of its 6")
    #expect(rule { $0.function[0].name = -1 } == "string -1 is none of its 6")
    #expect(rule { $0.function[0].id = 0 } == "function id 0 is 0 or there twice")
    #expect(rule { $0.location[0].id = 106 } == "location id 106 is 0 or there twice")
    #expect(rule { $0.mapping[0].id = 8 } == "location 105: mapping 9 does not exist")
    #expect(
      rule { $0.location[0].line[0].functionID = 8 } == "location 105: function 8 does not exist")
    #expect(rule { $0.sample[0].locationID = [7] } == "sample 0: location 7 does not exist")
    #expect(rule { $0.sample[0].value = [] } == "sample 0 has 0 values for 1 types")
    #expect(rule { $0.sample[0].value = [-3] } == "sample 0: weight -3 is negative")
    #expect(rule { $0.sampleType = [] } == "it says of no value what it means")
    #expect(rule { $0.mapping[0].memoryStart = 0x9001 } == "mapping 0: ends before its start")
    #expect(
      rule { $0.durationNanos = .max } == "duration of 9223372036854775807 ns is out of range")
    #expect(rule { $0.timeNanos = .min } == nil, "a negative start is only unknown")
  }

  @Test func shapesThatAreNoProfile() {
    func rule(_ bytes: [UInt8]) -> ProfileFormatError? {
      do {
        _ = try ProtobufScan(bytes)
        return nil
      } catch { return error }
    }
    #expect(rule([0x0a, 0x02, 0x08, 0x01]) == nil)
    #expect(
      rule([0x0a, 0x03, 0x08, 0x01]) == .pprof(at: 1, "an entry of 3 bytes, where 2 are left"))
    #expect(rule([0x0a, 0x02, 0x08, 0x01, 0x48]) == .pprof(at: 5, "a number is cut off"))
    #expect(rule([0x82, 0x01, 0x00]) == .pprof(at: 0, "field 16 is none of a profile's"))
    #expect(rule([0x0b]) == .pprof(at: 1, "wire type 3 does not occur in profiles"))
    let long = [0x48] + [UInt8](repeating: 0xff, count: 11)
    #expect(rule(long) == .pprof(at: 1, "a number is longer than ten bytes"))
  }

  /// Go's reader checks every id and count itself.
  @Test(arguments: 1...5)
  func goAcceptsAnything(seed: Int) throws {
    try withTemporaryFolder { folder in
      let profile = RandomProfile(seed: seed, samples: 80).profile
      let path = folder + "/p.pb.gz"
      try Data(Pprof.encode(profile)).write(to: URL(fileURLWithPath: path))
      let top = try run(
        "go", ["tool", "pprof", "-symbolize=none", "-sample_index=samples", "-top", path])
      let total = profile.samples.map(\.weight).reduce(0, +)
      #expect(top.status == 0)
      #expect(top.output.contains(" of \(total) total"), "seed \(seed): \(top.output)")
    }
  }
}
