package import ProfileModel

/// Records a command and its children, from start to end, for all consumers that were attached to
/// its session.
package final class Recorder {
  package struct Options: Sendable {
    /// Samples per second of CPU time of each thread; nil when CPU time is not sampled. More than
    /// the kernel's tick allows is weighted, not refused.
    package var rate: Double? = 250
    /// Nil when allocations are not tracked.
    package var heap: HeapProfile.Mode?
    /// Added to the environment of the target.
    package var environment: [String: String] = [:]
    package var folder: String?
    /// What the caller knows of the recording; the rest is filled in.
    package var provenance = Provenance()
    package init() {}

    /// The library that does what these options ask for.
    package var agent: AgentLibrary.Kind { heap == nil ? .sampler : .heap }
  }

  /// What a person watching wants to know.
  package struct Progress: Sendable {
    package var elapsed: Nanoseconds
    package var processes: Int
    package var threads: Int
    package var lost: Int64
  }

  package let session: CaptureSession
  package let rows: ProfileRows
  private let command: Command
  private let agent: AgentLibrary
  private let options: Options

  private static let writeInterval = Nanoseconds(500_000_000)
  /// Of the time, how much goes into writing at most: rings fill meanwhile.
  private static let writeShare: Int64 = 20
  /// How long processes left over, and forks that have not shown themselves, are waited for after
  /// the command itself has ended.
  private static let gracePeriod = Nanoseconds(1_000_000_000)

  package init(_ command: Command, agent: AgentLibrary, options: Options) throws(CaptureError) {
    self.command = command
    self.agent = agent
    self.options = options
    let period = options.rate.map { Nanoseconds(Int64((1e9 / $0).rounded())) }
    session = try CaptureSession(CaptureOptions(period: period, heap: options.heap))
    rows = ProfileRows(start: Host.now)
    session.attach(rows)
    describe(&rows.profile)
  }

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - write: gets the profile about twice a second, with the samples that are new; it must
  ///     store and remove them. When it throws, recording ends at once, the target runs on to its
  ///     end, and the error is thrown then.
  ///   - progress: called at every round.
  /// - Returns: the profile without samples, its addresses not yet symbolised.
  package func run(
    write: (inout Profile) throws -> Void, progress: (Progress) -> Void
  ) throws -> Profile {
    let target: TargetProcess
    do {
      let variables = try session.environment(for: agent)
      target = try TargetProcess(
        command, environment: options.environment.merging(variables) { $1 }, folder: options.folder)
    } catch {
      session.finish()
      throw error
    }
    defer { target.release() }
    if let failure = record(target, write: write, progress: progress) {
      while target.outcome == nil { target.wait(Self.gracePeriod) }
      rows.profile.provenance.exit = target.outcome?.status
      throw failure
    }
    return rows.profile
  }

  private func record(
    _ target: TargetProcess, write: (inout Profile) throws -> Void, progress: (Progress) -> Void
  ) -> (any Error)? {
    var nextWrite = rows.start  // what is known at the start is written at once
    var end: Nanoseconds?
    var pause = Nanoseconds(1_000_000)
    do {
      while true {
        target.wait(pause)
        pause = session.poll(isEnding: target.outcome != nil)
        let now = Host.now
        if target.outcome != nil, end == nil { end = now }
        if isOver(target, end: end, now: now) { break }
        if now >= nextWrite {
          update(target, duration: now - rows.start)
          try write(&rows.profile)
          let cost = Nanoseconds((Host.now - now).rawValue * Self.writeShare)
          nextWrite = now + max(Self.writeInterval, cost)
        }
        progress(report(elapsed: now - rows.start))
      }
      session.finish()
      update(target, duration: (end ?? Host.now) - rows.start)
      try write(&rows.profile)
      return nil
    } catch {
      session.finish()
      return error
    }
  }

  private func isOver(_ target: TargetProcess, end: Nanoseconds?, now: Nanoseconds) -> Bool {
    guard let end else { return target.interruptions > 2 }
    return session.isDeserted || now - end >= Self.gracePeriod
  }
}

// MARK: - Provenance

extension Recorder {
  private func describe(_ profile: inout Profile) {
    profile.provenance = options.provenance
    profile.provenance.command = command.arguments
    profile.provenance.host = Host.name
    profile.provenance.kernel = Host.kernel
    profile.provenance.processors = Host.processors
    profile.provenance.requestedRate = options.rate ?? 0
    profile.provenance.effectiveRate = min(
      options.rate ?? 0, 1e9 / Double(Host.tick.rawValue))
  }

  private func update(_ target: TargetProcess, duration: Nanoseconds) {
    session.willWrite()
    rows.profile.provenance.duration = duration
    rows.profile.provenance.cpuTime = target.outcome?.cpuTime
    rows.profile.provenance.peakResidentBytes = target.outcome?.peakResidentBytes
    rows.profile.provenance.exit = target.outcome?.status ?? .leftRunning
    rows.profile.losses = session.losses
  }

  private func report(elapsed: Nanoseconds) -> Progress {
    Progress(
      elapsed: elapsed, processes: session.processes.count, threads: session.threadCount,
      lost: session.losses[.ringFull].weight + session.losses[.agentBusy].weight)
  }
}
