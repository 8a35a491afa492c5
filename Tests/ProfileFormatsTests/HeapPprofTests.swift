import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import ProfileFormats

@Suite struct HeapPprofTests {
  /// main > load > parse, main > cache and a mapping, in one process. By hand: 160 allocations of
  /// 11,264 bytes, of which 21 of 8,448 bytes are live at the end.
  private let heapOnly: Profile = {
    var builder = ProfileBuilder()
    let thread = builder.addThread(process: "app", pid: 70, tid: 70, name: "app")
    let process = builder.profile.threads[thread].process
    builder.addSite(
      ["main", "load", "parse"], process: process, allocated: HeapAmount(count: 150, bytes: 3072),
      freed: HeapAmount(count: 139, bytes: 2816), atPeak: HeapAmount(count: 30, bytes: 1024),
      temporary: HeapAmount(count: 100, bytes: 1000))
    builder.addSite(
      ["main", "cache"], process: process, allocated: HeapAmount(count: 10, bytes: 8192),
      atPeak: HeapAmount(count: 9, bytes: 8000))
    builder.addSite(
      ["main", "map"], process: process, kind: .mapping,
      allocated: HeapAmount(count: 1, bytes: 1 << 30))
    return builder.profile
  }()

  /// The same with CPU samples besides.
  private var mixed: Profile {
    var profile = heapOnly
    profile.samples = [
      Sample(time: Nanoseconds(1), thread: ID(0), stack: heapOnly.heap?.sites[0].stack, weight: 3),
      Sample(time: Nanoseconds(2), thread: ID(0), stack: heapOnly.heap?.sites[0].stack, weight: 2),
    ]
    profile.period = .cpu(Nanoseconds(4_000_000))
    return profile
  }

  private func types(_ profile: Profile) throws -> [String] {
    let message = try Pprof.message(Pprof.encode(profile))
    return message.sampleType.map {
      message.stringTable[Int($0.type)] + "/" + message.stringTable[Int($0.unit)]
    }
  }

  private func top(_ profile: Profile, _ index: String? = nil) throws -> [String] {
    try withTemporaryFolder { folder in
      let path = folder + "/heap.pb.gz"
      try Data(Pprof.encode(profile)).write(to: URL(fileURLWithPath: path))
      let option = index.map { ["-sample_index=\($0)"] } ?? []
      let top = try run("go", ["tool", "pprof", "-symbolize=none", "-top"] + option + [path])
      #expect(top.status == 0)
      return top.output.split(separator: "\n").map {
        $0.split(separator: " ").joined(separator: " ")
      }
    }
  }

  @Test func goToolShowsEveryValue() throws {
    #expect(
      try types(heapOnly) == [
        "alloc_objects/count", "alloc_space/bytes", "inuse_objects/count", "inuse_space/bytes",
      ])
    let inUse = try top(heapOnly)
    #expect(inUse.contains("Type: inuse_space"))
    #expect(inUse.contains("8192B 96.97% 96.97% 8192B 96.97% cache"), "\(inUse)")
    #expect(inUse.contains("256B 3.03% 100% 256B 3.03% parse"), "\(inUse)")
    let objects = try top(heapOnly, "inuse_objects")
    #expect(objects.contains("11 52.38% 52.38% 11 52.38% parse"), "\(objects)")
    let space = try top(heapOnly, "alloc_space")
    #expect(space.contains("3kB 27.27% 100% 3kB 27.27% parse"), "\(space)")
    let allocations = try top(heapOnly, "alloc_objects")
    #expect(allocations.contains("150 93.75% 93.75% 150 93.75% parse"), "\(allocations)")
  }

  @Test func cpuAndHeapShareAFile() throws {
    #expect(
      try types(mixed) == [
        "samples/count", "cpu/nanoseconds", "alloc_objects/count", "alloc_space/bytes",
        "inuse_objects/count", "inuse_space/bytes",
      ])
    #expect(try top(mixed).contains("20ms 100% 100% 20ms 100% parse"))
    #expect(try top(mixed, "inuse_space").contains("8192B 96.97% 96.97% 8192B 96.97% cache"))
  }

  @Test func ofAViewOneValueIsWritten() throws {
    for metric in HeapMetric.allCases {
      let view = mixed.view(of: metric)
      #expect(try types(view) == [metric.valueType.kind + "/" + metric.valueType.unit])
      let read = try Pprof.decode(Pprof.encode(view), values: .heap(metric))
      #expect(read.heapMetric == metric)
      #expect(Folded.encode(read) == Folded.encode(view))
    }
    #expect(try types(mixed.cpuView) == ["samples/count", "cpu/nanoseconds"])
    let peak = try top(heapOnly.view(of: .peak))
    #expect(peak.contains("7.81kB 88.65% 88.65% 7.81kB 88.65% cache"), "\(peak)")
  }

  @Test func valuesAreChosenOnReading() throws {
    let bytes = Pprof.encode(mixed)
    func folded(_ values: ProfileValues) throws -> String {
      Folded.encode(try Pprof.decode(bytes, values: values))
    }
    #expect(try folded(.fileDefault) == "main;load;parse 5\n")
    #expect(try folded(.cpu) == "main;load;parse 5\n")
    #expect(try Pprof.decode(bytes).period == .cpu(Nanoseconds(4_000_000)))
    #expect(try folded(.heap(.allocs)) == "main;cache 10\nmain;load;parse 150\n")
    #expect(try folded(.heap(.bytes)) == "main;cache 8192\nmain;load;parse 3072\n")
    #expect(try folded(.heap(.leaked)) == "main;cache 8192\nmain;load;parse 256\n")
    let leaked = try Pprof.decode(bytes, values: .heap(.leaked))
    #expect(leaked.heapMetric == .leaked)
    // Amounts of memory have a process and no thread.
    #expect(ProcessTotals(leaked).processes.map(\.tally.weight) == [8448])
    #expect(leaked.threads.count == 0)
  }

  @Test func missingValuesAreSaid() throws {
    let bytes = Pprof.encode(mixed)
    let error = #expect(throws: ProfileFormatError.self) {
      try Pprof.decode(bytes, values: .heap(.peak))
    }
    #expect(
      error.map { "\($0)" }
        == "the input has no peak_space values; it has samples, cpu, alloc_objects, alloc_space, "
        + "inuse_objects, inuse_space: choose another --metric")
    #expect(throws: ProfileFormatError.self) {
      try Pprof.decode(Pprof.encode(heapOnly), values: .cpu)
    }
    #expect(throws: ProfileFormatError.self) {
      try Pprof.decode(Pprof.encode(mixed.cpuView), values: .heap(.leaked))
    }
  }

  @Test func aSampledHeapSaysItsInterval() throws {
    var sampled = heapOnly
    sampled.heap?.mode = .sample(interval: Bytes(524_288))
    let message = try Pprof.message(Pprof.encode(sampled))
    let texts = message.stringTable
    #expect(message.period == 524_288)
    #expect(texts[Int(message.periodType.type)] == "space")
    #expect(texts[Int(message.periodType.unit)] == "bytes")
    #expect(
      message.comment.map { texts[Int($0)] }
        == ["heap: estimated from allocations drawn about every 524288 bytes"])
    #expect(try Pprof.message(Pprof.encode(heapOnly)).period == 0)
    let read = try Pprof.decode(Pprof.encode(sampled), values: .heap(.bytes))
    #expect(read.period == sampled.view(of: .bytes).period)
  }

  @Test func whatIsMissingIsSaid() throws {
    var profile = heapOnly
    var process = HeapProcess(process: ID(0))
    process.lost = 7
    process.untracked = "it defines malloc"
    profile.heap?.processes = [process]
    let message = try Pprof.message(Pprof.encode(profile))
    #expect(
      message.comment.map { message.stringTable[Int($0)] } == [
        "heap: exact; in use means live at the end of the recording",
        "lost, heap of app (pid 70): 7 events",
        "heap of app (pid 70) not tracked: it defines malloc",
      ])
  }

  /// What gperftools and jemalloc write when only live memory is known.
  @Test func otherToolsNamesForLiveMemory() throws {
    var message = try Pprof.message(Pprof.encode(heapOnly.view(of: .leaked)))
    message.stringTable = message.stringTable.map { $0 == "inuse_space" ? "space" : $0 }
    let read = try Pprof.decode(Pprof.packed(message), values: .heap(.leaked))
    #expect(read.heapMetric == .leaked)
    #expect(Folded.encode(read) == "main;cache 8192\nmain;load;parse 256\n")
  }

  /// More than 2⁶³ when multiplied by the period, which nobody does.
  @Test func largeHeapsOfSampledProfiles() throws {
    var profile = heapOnly
    profile.heap?.mode = .sample(interval: Bytes(524_288))
    profile.heap?.sites[1].allocated.bytes = 1 << 50
    let read = try Pprof.decode(Pprof.encode(profile), values: .heap(.bytes))
    #expect(read.samples.map(\.weight).contains(1 << 50))
  }

  @Test func readsHeapsOfGo() throws {
    try withTemporaryFolder { folder in
      let source = """
        package main
        import ("os"; "runtime"; "runtime/pprof")
        var kept [][]byte
        //go:noinline
        func keep() { kept = append(kept, make([]byte, 1<<20)) }
        //go:noinline
        func waste() []byte { return make([]byte, 1<<20) }
        func main() {
          runtime.MemProfileRate = 1
          for i := 0; i < 20; i++ { keep(); waste() }
          for i := 0; i < 3; i++ { runtime.GC() } // the profile is two collections behind
          f, _ := os.Create(os.Args[1])
          pprof.WriteHeapProfile(f)
          f.Close()
        }
        """
      try Data(source.utf8).write(to: URL(fileURLWithPath: folder + "/heap.go"))
      let path = folder + "/heap.pprof"
      #expect(
        try run("env", ["GOCACHE=/tmp/qprof-go-cache", "go", "run", folder + "/heap.go", path])
          .status == 0)
      func bytes(_ values: ProfileValues, of function: String) throws -> Int64? {
        let profile = try readProfile(path: path, values: values).profile
        return FlatProfile(profile).functions.first { $0.function.name == function }?.flat.weight
      }
      #expect(try readProfile(path: path).profile.heapMetric == .leaked)
      #expect(try bytes(.heap(.leaked), of: "main.keep") ?? 0 >= 20 << 20)
      #expect(try bytes(.heap(.leaked), of: "main.waste") == nil)
      #expect(try bytes(.heap(.bytes), of: "main.waste") == 20 << 20)
      #expect(try bytes(.heap(.allocs), of: "main.waste") == 20)
    }
  }

  @Test func foldedHasOneLineAStack() throws {
    var builder = ProfileBuilder()
    builder.profile = heapOnly
    let child = builder.addThread(process: "child", pid: 71, tid: 71, name: "child")
    builder.addSite(
      ["main", "cache"], process: builder.profile.threads[child].process,
      allocated: HeapAmount(count: 2, bytes: 32))
    let view = builder.profile.view(of: .bytes)
    try golden(Folded.encode(view), "heap-bytes.folded")
    #expect(Folded.encode(view).contains("child;main;cache 32\n"))
  }
}
