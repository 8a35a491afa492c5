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

  package init(_ command: Command, agent: AgentLibrary, options: Options) {
    self.command = command
    self.agent = agent
    self.options = options
  }

  /// Runs the command to its end. See ``Recorder/run(write:progress:)``.
  package func run(
    write: (inout Profile) throws -> Void, progress: (Progress) -> Void
  ) throws -> Profile {
    var options = Recorder.Options()
    options.rate = self.options.rate
    options.environment = self.options.environment
    options.folder = self.options.folder
    options.provenance = self.options.provenance
    let recorder = try Recorder(command, agent: agent, options: options)
    let collector = SampleCollector(recorder)
    return try recorder.run(
      write: write,
      progress: { state in
        progress(
          Progress(
            elapsed: state.elapsed, processes: state.processes, threads: state.threads,
            samples: collector.sampleCount,
            effectiveRate: recorder.rows.profile.provenance.effectiveRate,
            cpuTime: collector.cpuTime, lost: state.lost))
      })
  }
}
