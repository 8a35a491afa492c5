import ProfileModel

// The prose of heap reports, in one place.

extension HeapAdvice {
  var message: String {
    switch self {
    case .countsOnly:
      return "Only totals were recorded: where memory was allocated and how much was live is not "
        + "known. Record with --heap=full to know both."
    case .estimated(let interval):
      return """
        Sites, the peak and what was live are estimates from allocations drawn about once in every \
        \(Quantities.size(interval.rawValue)); ± is half the 95 % interval. The numbers of \
        allocations, bytes and frees of the whole run are counted.
        """
    case .untracked(let program, let reason):
      return """
        \(VisibleText.of(program)): \(VisibleText.of(reason)). Its blocks are not tracked. Build it \
        against the C library's allocator, or link its own one dynamically, to track it.
        """
    case .lost(let events, let isSampled):
      let (what, how) =
        isSampled
        ? ("the estimates miss them", "with a larger interval")
        : ("no figure is exact", "with --heap=sample")
      return """
        \(counted(events, "event")) \(events == 1 ? "was" : "were") lost because a buffer was full \
        or none was free: \(what). Leave a core to qprof, or record \(how).
        """
    case .reentrant(let calls):
      return """
        \(counted(calls, "call")) came from signal handlers that had interrupted qprof's own code \
        and \(calls == 1 ? "is" : "are") not counted.
        """
    case .truncated(let share):
      return """
        \(percent(share)) of the allocations have stacks without a beginning, so callers get too \
        little of them. Build the code concerned with -fasynchronous-unwind-tables.
        """
    case .unmapped(let share):
      return """
        \(percent(share)) of the allocations were made by code in no file that qprof saw mapped, as \
        in programs that end within milliseconds. Their sites are addresses, which mean nothing in \
        another run. Record a longer one.
        """
    case .unknownFrees(let count, let share):
      return """
        \(counted(count, "free")) (\(percent(share)) of all) met no live block: from before qprof's \
        agent started, or from the process that this one was forked from, or freed twice.
        """
    case .killed(let signal):
      return """
        The program was killed by signal \(signal): what was live then is not all leaked.
        """
    case .leftRunning:
      return """
        The program still ran when the recording ended: what was live then is not all leaked.
        """
    }
  }
}

extension Gate.Obstacle {
  func message(_ metric: HeapMetric) -> String {
    let whose = isBase ? "the base" : "the recording"
    switch reason {
    case .countsOnly:
      return "\(whose) has totals only and does not know \(metric.rawValue); record it with "
        + "--heap=full"
    case .estimated:
      return "\(whose) is sampled and has \(metric.rawValue) as an estimate; record it with "
        + "--heap=full"
    case .lost(let events):
      return
        "\(whose) lost \(counted(events, "event")), so its figures are not exact; leave a core "
        + "to qprof and record again"
    case .untracked(let program):
      return "\(whose) could not track \(VisibleText.of(program)), which has an allocator of its "
        + "own; record a command that does not run it"
    }
  }
}

extension Suppressions.Rule {
  /// As a file would have it, where a file can.
  var text: String {
    scope == .anyFrame ? "leak:" + pattern.text : "constructors of " + pattern.text
  }
}

/// The parts of resident memory.
enum ResidencyPart: String {
  case heap
  case allocator
  case untouched
  case files
  case shared
  case agent

  var title: String {
    switch self {
    case .heap: "live blocks"
    case .allocator: "allocator and stacks"
    case .untouched: "never written"
    case .files: "files"
    case .shared: "shared memory"
    case .agent: "qprof"
    }
  }

  var meaning: String {
    switch self {
    case .heap: "what the program had asked for and not freed"
    case .allocator:
      "freed blocks that the allocator keeps, its overhead, stacks, variables, mappings without a file"
    case .untouched: "parts of live blocks that are in no memory yet"
    case .files: "code and data of the program, its libraries and the files it maps"
    case .shared: "memory that processes share, without qprof's"
    case .agent: "qprof's own tables and buffers in this process"
    }
  }
}

/// `1 event`, `2,345 events`.
func counted(_ number: Int64, _ thing: String) -> String {
  "\(Quantities.grouped(Double(number))) \(thing)\(number == 1 ? "" : "s")"
}

private func percent(_ share: Double) -> String { ReportContent.percent(share) }
