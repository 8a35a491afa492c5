package import Capture
package import ProfileModel

/// Records the CPU time of a command and its children, from start to end.
package struct CPURecorder {
  package struct Options: Sendable {
    /// Samples per second of CPU time of each thread. More than the kernel's tick allows is
    /// weighted, not refused.
    package var rate: Double = 250
    /// Added to the environment of the target.
    package var environment: [String: String] = [:]
    package var folder: String?
    /// What the caller knows of the recording; the rest is filled in.
    package var provenance = Provenance()
    package init() {}
  }

  /// What a person watching wants to know.
  package struct Progress: Sendable {
    package var elapsed: Nanoseconds
    package var processes: Int
    package var threads: Int
    package var samples: Int64
    package var effectiveRate: Double
    /// Weight of all samples as CPU time.
    package var cpuTime: Nanoseconds
    package var lost: Int64
  }

  private let command: Command
  private let agent: AgentLibrary
  private let options: Options

  private static let writeInterval = Nanoseconds(500_000_000)
  /// How long processes left over, and forks that have not shown themselves, are waited for after
  /// the command itself has ended.
  private static let gracePeriod = Nanoseconds(1_000_000_000)

  package init(_ command: Command, agent: AgentLibrary, options: Options) {
    self.command = command
    self.agent = agent
    self.options = options
  }

  /// Runs the command to its end.
  ///
  /// - Parameters:
  ///   - write: gets the profile about once a second, with the samples that are new; it must
  ///     store and remove them. When it throws, sampling ends at once, the target runs on to its
  ///     end, and the error is thrown then.
  ///   - progress: called at every round.
  /// - Returns: the profile without samples, its addresses not yet symbolised.
  package func run(
    write: (inout Profile) throws -> Void, progress: (Progress) -> Void
  ) throws -> Profile {
    let tick = Host.tick
    let period = Nanoseconds(Int64((1e9 / options.rate).rounded()))
    let session = try CaptureSession(period: period, tick: tick)
    let start = Host.now
    let collector = SampleCollector(session: session, start: start, period: period, tick: tick)
    describe(&collector.profile, tick: tick)
    let target: TargetProcess
    do {
      let variables = try session.environment(for: agent)
      target = try TargetProcess(
        command, environment: options.environment.merging(variables) { $1 }, folder: options.folder)
    } catch {
      session.finish(collector)
      throw error
    }
    defer { target.release() }
    let failure = record(target, session, collector, start: start, write: write, progress: progress)
    if let failure {
      while target.outcome == nil { target.wait(milliseconds: 1000) }
      throw failure
    }
    return collector.profile
  }

  private func record(
    _ target: TargetProcess, _ session: CaptureSession, _ collector: SampleCollector,
    start: Nanoseconds, write: (inout Profile) throws -> Void, progress: (Progress) -> Void
  ) -> (any Error)? {
    var lastWrite = start - Self.writeInterval  // what is known at the start is written at once
    var end: Nanoseconds?
    var pause: Int32 = 1
    do {
      while true {
        target.wait(milliseconds: pause)
        pause = session.poll(collector)
        let now = Host.now
        if target.outcome != nil, end == nil { end = now }
        if isOver(target, session, end: end, now: now) { break }
        if now - lastWrite >= Self.writeInterval {
          lastWrite = now
          update(collector, target, session, duration: now - start)
          try write(&collector.profile)
        }
        progress(report(session, collector, elapsed: now - start))
      }
      session.finish(collector)
      update(collector, target, session, duration: (end ?? Host.now) - start)
      try write(&collector.profile)
      return nil
    } catch {
      session.finish(collector)
      return error
    }
  }

  private func isOver(
    _ target: TargetProcess, _ session: CaptureSession, end: Nanoseconds?, now: Nanoseconds
  ) -> Bool {
    guard let end else { return target.interruptions > 2 }
    return session.isDeserted || now - end >= Self.gracePeriod
  }
}

// MARK: - Provenance

extension CPURecorder {
  private func describe(_ profile: inout Profile, tick: Nanoseconds) {
    profile.provenance = options.provenance
    profile.provenance.command = command.arguments
    profile.provenance.host = Host.name
    profile.provenance.kernel = Host.kernel
    profile.provenance.processors = Host.processors
    profile.provenance.requestedRate = options.rate
    profile.provenance.effectiveRate = min(options.rate, 1e9 / Double(tick.rawValue))
  }

  private func update(
    _ collector: SampleCollector, _ target: TargetProcess, _ session: CaptureSession,
    duration: Nanoseconds
  ) {
    collector.profile.provenance.duration = duration
    collector.profile.provenance.cpuTime = target.outcome?.cpuTime
    collector.profile.provenance.peakResidentBytes = target.outcome?.peakResidentBytes
    collector.profile.provenance.exit = target.outcome?.status ?? .leftRunning
    collector.profile.losses = session.losses
  }

  private func report(
    _ session: CaptureSession, _ collector: SampleCollector, elapsed: Nanoseconds
  ) -> Progress {
    let period = collector.profile.period?.value ?? 0
    return Progress(
      elapsed: elapsed, processes: session.processes.count, threads: session.threadCount,
      samples: collector.sampleCount,
      effectiveRate: collector.profile.provenance.effectiveRate,
      cpuTime: Nanoseconds(collector.totalWeight * period),
      lost: session.losses[.ringFull].weight + session.losses[.agentBusy].weight)
  }
}
