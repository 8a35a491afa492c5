import Foundation
import ProfileModel
import TestSupport

/// Two threads of a program with an inlined function, a library, unsymbolised code and a marker.
let smallProfile: Profile = {
  var profile = Profile()
  func string(_ text: String) -> ID<String> { profile.strings.intern(text) }
  func function(_ name: String, _ system: String) -> ID<Function> {
    profile.functions.intern(
      Function(
        name: string(name), systemName: string(system), file: string("/src/app.cc"),
        startLine: 10))
  }
  func mapping(_ path: String, _ build: [UInt8]?) -> ID<Mapping> {
    profile.mappings.intern(
      Mapping(
        kind: .file, path: string(path), buildID: build.map(BuildID.init),
        start: FileAddress(0x1000), end: FileAddress(0x9000), offset: FileOffset(0x800)))
  }
  let library = mapping("/lib/libwork.so.1", [0xab, 0xcd])
  let app = mapping("/bin/app", [0x01, 0x02])
  let main = profile.locations.intern(.code(app, FileAddress(0x1100)))
  profile.locations.setLines([Line(function: function("main", "main"), line: 12)], of: main)
  let outer = profile.locations.intern(.code(app, FileAddress(0x1200)))
  profile.locations.setLines(
    [
      Line(function: function("fast(int)", "_Z4fasti"), line: 30),
      Line(function: function("outer()", "_Z5outerv"), line: 44),
    ], of: outer)
  let bare = profile.locations.intern(.code(library, FileAddress(0x2345)))
  let capped = profile.locations.intern(.marker(.stackCapped))

  let process = profile.processes.append(
    ProcessImage(pid: 70, parentPID: 1, name: string("app"), start: Nanoseconds(0)))
  let first = profile.threads.append(ThreadInfo(process: process, tid: 70, name: string("app")))
  let second = profile.threads.append(
    ThreadInfo(process: process, tid: 71, name: string("worker")))
  func add(_ places: [ID<Location>], _ thread: ID<ThreadInfo>, _ weight: Int64) {
    var stack: ID<StackNode>?
    for location in places {
      stack = profile.stacks.intern(StackNode(parent: stack, location: location))
    }
    profile.samples.append(
      Sample(time: Nanoseconds(0), thread: thread, stack: stack, weight: weight))
  }
  add([main, outer], first, 3)
  add([main, outer, bare], first, 2)
  add([capped, bare], second, 4)
  add([main, outer], first, 1)
  profile.period = .cpu(Nanoseconds(4_000_000))
  profile.provenance.command = ["/bin/app", "it's"]
  profile.provenance.toolVersion = "0.1.0"
  profile.provenance.startTime = 1_700_000_000.5
  profile.provenance.duration = Nanoseconds(2_000_000_000)
  profile.losses.add(.ringFull, events: 2, weight: 5)
  return profile
}()

/// Draws a profile with every kind of row.
struct RandomProfile {
  private(set) var profile = Profile()
  private var random: RepeatableRandom

  init(seed: Int, samples: Int = 60) {
    random = RepeatableRandom(seed: UInt64(seed))
    addMappings()
    for _ in 0..<8 {
      let function = Function(
        name: string(), systemName: string(), file: coin() ? string() : nil,
        startLine: Int32(below(900)))
      _ = profile.functions.intern(function)
    }
    for _ in 0..<20 { addLocation() }
    addThreads()
    for _ in 0..<samples { addSample() }
    describe()
  }

  private mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &random) }
  private mutating func coin() -> Bool { below(2) == 0 }
  private mutating func address() -> UInt64 { random.next() >> UInt64(below(64)) }

  private mutating func string() -> ID<String> {
    let parts = ["a", "B", "ß", ";", " ", "\"", "\u{1}", "\u{0}", "[", "ж", "::", "<T>", "\n"]
    var text = ""
    for _ in 0..<below(7) { text += parts[below(parts.count)] }
    return profile.strings.intern(text + String(below(50)))
  }

  private mutating func addMappings() {
    for kind in [Mapping.Kind.file, .deleted, .vdso, .anonymous] {
      let start = address() / 2
      let mapping = Mapping(
        kind: kind, path: string(), buildID: kind == .file ? BuildID(Array(0..<20)) : nil,
        start: FileAddress(start), end: FileAddress(start + 4096), offset: FileOffset(address()))
      _ = profile.mappings.intern(mapping)
    }
  }

  private mutating func addLocation() {
    let place: Location.Place =
      switch below(10) {
      case 0: .unmapped(RuntimeAddress(address()))
      case 1: .named(ID(below(profile.functions.count)))
      case 2: .marker(FrameMarker.allCases[below(FrameMarker.allCases.count)])
      default: .code(ID(below(profile.mappings.count)), FileAddress(address()))
      }
    let id = profile.locations.intern(place)
    guard case .code = place, coin() else { return }
    var lines: [Line] = []
    for _ in 0...below(3) {
      lines.append(
        Line(function: ID(below(profile.functions.count)), line: Int32(below(900))))
    }
    profile.locations.setLines(lines, of: id)
  }

  private mutating func addThreads() {
    for pid in Int32(100)..<103 {
      let image = ProcessImage(
        pid: pid, parentPID: 1, name: string(), start: Nanoseconds(Int64(pid) * 1_000_000),
        end: pid == 101 ? Nanoseconds(5_000_000_000) : nil)
      let process = profile.processes.append(image)
      for tid in Int32(0)..<2 {
        profile.threads.append(ThreadInfo(process: process, tid: pid + tid * 10, name: string()))
      }
    }
  }

  private mutating func addSample() {
    var stack: ID<StackNode>?
    for _ in 0..<below(7) {
      let node = StackNode(parent: stack, location: ID(below(profile.locations.count)))
      stack = profile.stacks.intern(node)
    }
    let sample = Sample(
      time: Nanoseconds(Int64(below(9_000_000)) * 1000),
      thread: coin() ? ID(below(profile.threads.count)) : nil, stack: stack,
      weight: Int64(below(5)))
    profile.samples.append(sample)
  }

  private mutating func describe() {
    profile.period = .cpu(Nanoseconds(4_000_000))
    profile.provenance.command = ["prog", "a b", "\"quoted\"", "/ü"]
    profile.provenance.workingDirectory = "/tmp/x"
    profile.provenance.bench = coin() ? "ml_dsa" : nil
    profile.provenance.host = "host"
    profile.provenance.kernel = "6.1"
    profile.provenance.processors = 2
    profile.provenance.toolVersion = "0.1.0"
    profile.provenance.gitCommit = "abc123"
    profile.provenance.startTime = 1_790_000_000.25
    profile.provenance.duration = Nanoseconds(9_000_000_000)
    profile.provenance.requestedRate = 999
    profile.provenance.effectiveRate = 249.75
    profile.provenance.cpuTime = Nanoseconds(1_234_567)
    profile.provenance.peakResidentBytes = 1 << 40
    profile.provenance.exit = [.exited(3), .signalled(9), .leftRunning][below(3)]
    profile.losses.add(.ringFull, events: 3, weight: 4)
    profile.losses.add(.neverEntered, events: 2)
    profile.losses.processNames[.neverEntered] = ["gofmt", "x/y \"z\""]
  }
}

/// A profile as an ordinary recording of a compiler gives it: `samples` samples over
/// `distinctStacks` stacks of about `depth` frames, function names of 45 characters, each function
/// with a mangled name too, three call sites per function, one sample in five weighing more than 1.
func compilerLikeProfile(samples: Int, distinctStacks: Int, depth: Int, seed: UInt64) -> Profile {
  var random = RepeatableRandom(seed: seed)
  var profile = Profile()
  let path = profile.strings.intern("/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus")
  let mapping = profile.mappings.intern(
    Mapping(
      kind: .file, path: path, buildID: BuildID(Array(0..<20)), start: FileAddress(0x40_0000),
      end: FileAddress(0x200_0000), offset: FileOffset(0)))
  let process = profile.processes.append(
    ProcessImage(
      pid: 4000, parentPID: 1, name: profile.strings.intern("cc1plus"), start: Nanoseconds(0)))
  let thread = profile.threads.append(
    ThreadInfo(process: process, tid: 4000, name: profile.strings.intern("cc1plus")))

  var stacks: [ID<StackNode>] = []
  var seen: Set<ID<StackNode>> = []
  while stacks.count < distinctStacks {
    var stack: ID<StackNode>?
    // Few ways to go near the root and many near the leaf: half of a stack is its own, as in the
    // recording of cc1plus by which the format was measured.
    for level in 0..<Int.random(in: depth - 4...depth + 4, using: &random) {
      let choices = level < depth / 3 ? 1 : level < depth / 2 ? 2 : 250
      let site = level * 400 + Int.random(in: 0..<choices, using: &random)
      let location = profile.locations.intern(
        .code(mapping, FileAddress(UInt64(0x41_0000 + site * 52))))
      stack = profile.stacks.intern(StackNode(parent: stack, location: location))
    }
    if let stack, seen.insert(stack).inserted { stacks.append(stack) }
  }
  for number in 0..<samples {
    profile.samples.append(
      Sample(
        time: Nanoseconds(Int64(number) * 4_000_123), thread: thread,
        stack: number < stacks.count ? stacks[number] : stacks.randomElement(using: &random),
        weight: number % 5 == 0 ? 2 : 1))
  }
  return profile
}

/// Gives every location of a profile a function, three locations to a function, and every eighth an
/// inlined one. Names have 45 characters, mangled ones too.
func symbolize(_ profile: inout Profile) {
  func function(_ number: Int) -> ID<Function> {
    let digits = String(number + 10_000)
    let name = profile.strings.intern(digits + String(repeating: "n", count: 45 - digits.count))
    let mangled = profile.strings.intern("_Z45" + digits + String(repeating: "n", count: 38))
    let file = profile.strings.intern("/build/gcc-12/src/gcc/cp/file\(number / 20).cc")
    return profile.functions.intern(
      Function(name: name, systemName: mangled, file: file, startLine: Int32(number)))
  }
  for id in profile.locations.ids {
    var lines = [Line(function: function(id.index / 3), line: Int32(id.index % 3000))]
    if id.index % 8 == 0 {
      lines.insert(Line(function: function(id.index / 3 + 1), line: 7), at: 0)
    }
    profile.locations.setLines(lines, of: id)
  }
}

/// What a recording keeps, in a form that can be compared.
func contents(_ profile: Profile) -> [String] {
  var lines = profile.strings.rows.map { "string \($0.debugDescription)" }
  lines += profile.mappings.rows.map { "mapping \($0)" }
  lines += profile.functions.rows.map { "function \($0)" }
  lines += profile.locations.ids.map { "location \(profile.locations[$0])" }
  lines += profile.stacks.rows.map { "stack \($0)" }
  lines += profile.processes.rows.map { "process \($0)" }
  lines += profile.threads.rows.map { "thread \($0)" }
  lines += profile.samples.map { "sample \($0)" }
  lines.append("\(profile.valueType) \(String(describing: profile.period)) \(profile.provenance)")
  for reason in Losses.Reason.allCases {
    lines.append("\(reason) \(profile.losses[reason]) \(profile.losses.processNames[reason] ?? [])")
  }
  return lines
}

/// A path in a fresh private folder, which is removed after `body`.
func withTemporaryFolder<T>(_ body: (String) throws -> T) throws -> T {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("qprof-formats-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
  defer { try? FileManager.default.removeItem(atPath: folder) }
  return try body(folder)
}

/// Runs a program and gives its standard output and exit status.
func run(_ program: String, _ arguments: [String]) throws -> (output: String, status: Int32) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = FileHandle.nullDevice
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (String(decoding: data, as: UTF8.self), process.terminationStatus)
}
