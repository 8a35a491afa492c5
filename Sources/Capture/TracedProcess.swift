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
  var generation: UInt32 = 0
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
