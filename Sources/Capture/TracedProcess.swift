import CAgentWire

/// One program image in one process, from the moment its agent attached until it is gone.
package final class TracedProcess {
  /// Unlike a pid never used again in a recording.
  package let number: Int
  package let pid: Int32
  package let parentPID: Int32
  package let name: String
  /// `CLOCK_MONOTONIC` when the agent attached.
  package let start: Int64
  package internal(set) var addresses = AddressSpace()

  /// Row in the session's process table.
  let row: Int
  /// Order of attaching: tells an exec'd image from the one before it under the same pid.
  let image: UInt32
  /// The image that forked this one, whose mappings it began with.
  private let parent: TracedProcess?
  package private(set) var generation: UInt32 = 0
  /// The mappings as they were in earlier generations, oldest first.
  private var history: [(generation: UInt32, addresses: AddressSpace)] = []
  private static let longestHistory = 256
  /// Threads with samples since the last look at thread names.
  var activeThreads: Set<Int32> = []
  var hadSamples = false
  var canRereadMaps = true
  /// User and system time of the process, as last read, and when this image began.
  private var cpuTime: Int64 = 0
  private var cpuTimeAtStart: Int64?
  var cpuTimeOfImage: Int64 { cpuTime - (cpuTimeAtStart ?? 0) }

  init(number: Int, row: Int, fields: qprof_process, parent: TracedProcess?) {
    self.number = number
    self.row = row
    pid = fields.pid
    parentPID = fields.parent_pid
    image = fields.image
    self.parent = parent
    start = fields.start_ns
    name = withUnsafeBytes(of: fields.name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Takes over the mappings of the parent, which may have become known since the fork.
  /// - Returns: whether there were any to take.
  func inheritMappings() -> Bool {
    guard addresses.regions.isEmpty, let parent else { return false }
    if parent.addresses.regions.isEmpty { _ = parent.inheritMappings() }
    addresses = parent.addresses
    return !addresses.regions.isEmpty
  }

  /// An object is about to go, and others may take its place.
  func moveOn(to generation: UInt32) {
    guard generation != self.generation else { return }
    history.append((self.generation, addresses))
    if history.count > Self.longestHistory { history.removeFirst() }
    self.generation = generation
  }

  /// The code that was mapped in `generation`, as far as it is known.
  package func addresses(in generation: UInt32) -> AddressSpace {
    if generation == self.generation { return addresses }
    return history.last { $0.generation <= generation }?.addresses ?? addresses
  }

  /// Keeps what has become known of an earlier generation.
  func setAddresses(_ known: AddressSpace, in generation: UInt32) {
    let index = history.firstIndex { $0.generation >= generation } ?? history.endIndex
    if index < history.endIndex, history[index].generation == generation {
      history[index].addresses = known
    } else {
      history.insert((generation, known), at: index)
    }
  }

  /// The kernel's name of a thread, or nil when it is gone.
  package func threadName(_ tid: Int32) -> String? {
    guard let text = Syscalls.text("/proc/\(pid)/task/\(tid)/comm") else { return nil }
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  func threads() -> [Int32] { Syscalls.entries(of: "/proc/\(pid)/task").compactMap { Int32($0) } }

  /// Reads the process's mappings if it still runs this image, which it shows by having this
  /// session mapped: after an exec, the text describes another program.
  func readMaps(session: String) -> [MapsEntry]? {
    guard let text = Syscalls.contents("/proc/\(pid)/maps") else { return nil }
    let entries = parseMaps(text)
    return entries.contains { $0.path == session } ? entries : nil
  }

  /// Reads state and CPU time from `/proc/PID/stat` (man 5 proc: fields 3, 14 and 15).
  /// - Returns: whether the process still runs.
  func checkVitals() -> Bool {
    guard let text = Syscalls.text("/proc/\(pid)/stat"), let close = text.lastIndex(of: ")")
    else { return false }
    let fields = text[text.index(after: close)...].split(separator: " ")
    guard fields.count > 12, let user = Int64(fields[11]), let system = Int64(fields[12])
    else { return false }
    let tick: Int64 = 10_000_000  // USER_HZ is 100 on x86-64
    cpuTime = (user + system) * tick
    if cpuTimeAtStart == nil { cpuTimeAtStart = cpuTime }
    return fields[0] != "Z" && fields[0] != "X"
  }
}

// MARK: - Memory

/// The parts of a process's resident memory in bytes (man 5 proc: `RssAnon` and the others of
/// `/proc/PID/status`).
package struct ResidentParts: Hashable, Sendable {
  package var anonymous: Int64
  package var file: Int64
  package var shared: Int64
}

extension TracedProcess {
  /// Resident memory in bytes, or nil when the process is gone.
  package func residentBytes() -> Int64? {
    guard let text = Syscalls.text("/proc/\(pid)/statm") else { return nil }
    let fields = text.split(separator: " ")
    guard fields.count > 1, let pages = Int64(fields[1]) else { return nil }
    return pages &* 4096
  }

  package func residentParts() -> ResidentParts? {
    guard let text = Syscalls.text("/proc/\(pid)/status") else { return nil }
    func part(_ name: String) -> Int64? {
      guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name + ":") })
      else { return nil }
      let words = line.split { $0 == " " || $0 == "\t" }
      return words.count > 1 ? Int64(words[1]).map { $0 &* 1024 } : nil
    }
    guard let anonymous = part("RssAnon"), let file = part("RssFile"),
      let shared = part("RssShmem")
    else { return nil }
    return ResidentParts(anonymous: anonymous, file: file, shared: shared)
  }
}
