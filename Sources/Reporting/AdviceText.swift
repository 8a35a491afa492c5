import ProfileModel

// The prose of advice and losses, in one place. Each says what, how much, and what to do.

extension Advice {
  var message: String {
    switch self {
    case .noSamples(let cpuTime):
      let used = cpuTime.map { ": the command used \(Quantities.time($0)) of CPU time" } ?? ""
      return "There are no samples\(used). Record a run that keeps a CPU busy for a second or more."
    case .fewSamples(let samples, let wanted, let margin, let rate):
      let seconds =
        rate > 0
        ? " (\(Quantities.decimal(Double(wanted) / rate, places: 1)) s of CPU time at this rate)"
        : ""
      return """
        \(samples) samples are few: a share is uncertain by up to \(percent(margin)) points. Record \
        a longer run, of at least \(wanted) samples\(seconds).
        """
    case .signalBlocked(let share):
      return """
        \(percent(share)) % of the time passed while the program held qprof's signal blocked; \
        where is not known. Look for sigprocmask or pthread_sigmask calls that block SIGPROF for \
        long.
        """
    case .truncated(let marker, let share):
      return """
        \(percent(share)) % of the time has no complete stack (\(marker.rawValue)), so callers \
        get too little of it. \(marker.remedy)
        """
    case .unsymbolised(let share, let modules):
      let list = modules.map {
        let name = $0.module.isEmpty ? "no known module" : Profile.basename($0.module)
        return "\(VisibleText.of(name)) \(percent($0.share)) %"
      }.joined(separator: ", ")
      return """
        \(percent(share)) % of the time is in code without symbols\(list.isEmpty ? "" : " (\(list))"). Install the debug \
        symbols of these files, or build them without stripping.
        """
    case .lowCoverage(let coverage, let sampled, let counted):
      return """
        The samples stand for \(Quantities.time(sampled)), \(percent(coverage)) % of the \
        \(Quantities.time(counted)) of CPU time that the kernel counted. What is missing is in \
        processes that qprof cannot enter (static, setuid or very short ones), or was lost.
        """
    }
  }

  private func percent(_ share: Double) -> String { Quantities.decimal(100 * share, places: 1) }
}

extension FrameMarker {
  fileprivate var remedy: String {
    switch self {
    case .stackCapped:
      "The stack is deeper than the 64 KiB that are copied; the leaf end is right."
    case .noUnwindInfo:
      "Build the code concerned with -fasynchronous-unwind-tables or -fno-omit-frame-pointer."
    case .brokenChain:
      "Hand-written assembly without unwind directives is the usual reason."
    case .objectUnloaded: "A library was unloaded before its stacks were read."
    case .stackUnreadable:
      "The program runs on stacks of its own making, which could not be read."
    case .tooDeep: "Endless recursion is the usual reason."
    case .signalBlocked: ""
    }
  }
}

extension Losses {
  /// What happened, and what to do about it. `time` is the weight as text where there is any.
  func message(_ reason: Reason, time: String?) -> String {
    let n = Quantities.grouped(Double(self[reason].events))
    let many = self[reason].events != 1
    let samples = "\(n) sample\(many ? "s" : "")" + (time.map { " (\($0))" } ?? "")
    let threads = "\(n) thread\(many ? "s" : "")"
    let processes = "\(n) process\(many ? "es" : "")" + names(reason)
    let were = many ? "were" : "was"
    switch reason {
    case .ringFull:
      return "\(samples) \(were) dropped because a buffer was full. Lower the rate with -F, or "
        + "leave a core to qprof."
    case .agentBusy:
      return "\(samples) \(were) dropped because one was already being taken. Lower the rate with "
        + "-F if these are many."
    case .noSlot:
      return "\(threads) \(were) not sampled because all slots were taken. Record fewer threads "
        + "at a time."
    case .noHeapSlot:
      return "The allocations of \(threads) \(were) not tracked because all slots were taken. "
        + "Record fewer threads at a time."
    case .noTimer:
      return "\(threads) \(were) not sampled because the kernel refused a timer. Raise the limit "
        + "of pending signals (ulimit -i)."
    case .neverEntered:
      return "\(processes) used CPU time, but qprof's signal handler ran seldom or never there, as "
        + "with the Go runtime. Profile \(many ? "these" : "this one") with the tools of that "
        + "runtime or with perf."
    case .leftRunning:
      return "\(processes) still ran when the recording ended; later samples are missing. Make "
        + "the command wait for its children."
    case .badRecord:
      return "\(n) record\(many ? "s" : "") could not be read. Check that agent and qprof come "
        + "from the same build."
    }
  }

  private func names(_ reason: Reason) -> String {
    let names = Array(Set(processNames[reason] ?? [])).sorted().map(VisibleText.of)
    guard !names.isEmpty else { return "" }
    return " (\(names.prefix(5).joined(separator: ", "))\(names.count > 5 ? ", …" : ""))"
  }
}
