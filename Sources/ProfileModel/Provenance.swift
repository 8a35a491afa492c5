/// Where a profile comes from: shown in reports and written into every file made from it.
package struct Provenance: Hashable, Sendable {
  package var command: [String] = []
  package var workingDirectory = ""
  package var bench: String?
  package var host = ""
  package var kernel = ""
  package var processors = 0
  package var toolVersion = ""
  package var gitCommit: String?
  /// Seconds since 1970 at the start of the recording.
  package var startTime: Double = 0
  package var duration = Nanoseconds(0)
  package var engine = "timer"
  /// Samples per second of CPU time and thread: as asked, and as the kernel's tick allowed.
  package var requestedRate: Double = 0
  package var effectiveRate: Double = 0
  /// User and system time of the command and the children it waited for (`wait4`).
  package var cpuTime: Nanoseconds?
  package var peakResidentBytes: Int64?
  package var exit: ExitStatus?
  package init() {}

  package enum ExitStatus: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    /// The recording ended while the command still ran.
    case leftRunning
  }
}

extension Provenance {
  /// The command as a shell would take it: words with characters that a shell reads are quoted.
  package var commandLine: String {
    command.map { word in
      guard word.isEmpty || word.contains(where: Self.isReadByShells) else { return word }
      let parts = word.split(separator: "'", omittingEmptySubsequences: false)
      return "'" + parts.joined(separator: #"'\''"#) + "'"
    }.joined(separator: " ")
  }

  private static func isReadByShells(_ character: Character) -> Bool {
    character.isWhitespace || #""'\$`;&|<>()*?#!~"#.contains(character)
  }
}

/// What did not make it into the samples, by reason. Zero counts are not stored.
package struct Losses: Hashable, Sendable {
  package enum Reason: String, Hashable, Sendable, CaseIterable {
    /// Samples dropped because a thread's ring was full.
    case ringFull = "ring full"
    /// Samples dropped because the agent itself was interrupted.
    case agentBusy = "agent busy"
    /// Threads not sampled because no slot was free.
    case noSlot = "no slot"
    /// Threads whose allocations were not tracked because no slot was free.
    case noHeapSlot = "no heap slot"
    /// Threads not sampled because the kernel refused a timer.
    case noTimer = "no timer"
    /// Processes that used CPU time and in which the signal handler ran seldom or never: their
    /// runtime takes the signal, as Go's does.
    case neverEntered = "never entered"
    /// Processes still running when the recording ended.
    case leftRunning = "left running"
    /// Records that the recorder could not read.
    case badRecord = "bad record"
  }
  package struct Count: Hashable, Sendable {
    /// Samples, threads or processes, as the reason says.
    package var events: Int64
    /// Sample weight, where the reason is about samples.
    package var weight: Int64
    package init(events: Int64, weight: Int64) {
      self.events = events
      self.weight = weight
    }
  }
  package private(set) var counts: [Reason: Count] = [:]
  /// Names of the processes concerned, for the reasons that are about processes.
  package var processNames: [Reason: [String]] = [:]
  package init() {}

  package var isEmpty: Bool { counts.isEmpty }
  package subscript(reason: Reason) -> Count { counts[reason] ?? Count(events: 0, weight: 0) }

  package mutating func add(_ reason: Reason, events: Int64, weight: Int64 = 0) {
    guard events != 0 || weight != 0 else { return }
    let old = self[reason]
    counts[reason] = Count(events: old.events + events, weight: old.weight + weight)
  }
}
