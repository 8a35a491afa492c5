import Benchmarking
import Capture
import Foundation
import HeapTracker
import ProfileFormats
import ProfileModel
import Reporting
import Sampler
import Symbols

/// One run of `qprof record`, from its options to the finished file.
struct RecordingRun {
  private let command: Capture.Command
  private let agent: AgentLibrary
  private let name: String
  private let output: String?
  private var options = Recorder.Options()
  private let commit: GitCommit

  /// Finds everything that the recording needs, and runs the bench's build.
  init(_ record: Record) throws {
    output = record.output
    options.heap = record.heap?.mode
    options.rate = record.heap == nil || record.cpu ? record.frequency : nil
    agent = try AgentLibrary.find(options.agent, in: record.agentDir)
    options.provenance.toolVersion = Qprof.version
    options.provenance.bench = record.bench
    options.provenance.workingDirectory = FileManager.default.currentDirectoryPath
    if let benchName = record.bench {
      let folder = FileManager.default.currentDirectoryPath
      let bench = try ConfigurationFile.load(from: folder).bench(named: benchName)
      try bench.runBuild()
      options.environment = bench.environment
      options.folder = bench.workingDirectory
      options.provenance.workingDirectory = bench.workingDirectory
      command = try Capture.Command(
        bench.command.argv, folder: bench.workingDirectory, searchPath: bench.environment["PATH"])
      name = benchName
    } else {
      command = try Capture.Command(record.commandLine)
      name = Profile.basename(record.commandLine[0])
    }
    commit = GitCommit(in: options.provenance.workingDirectory)
  }

  /// - Returns: how the command ended.
  func run() throws -> Provenance.ExitStatus {
    var options = options
    let date = Date()
    options.provenance.startTime = date.timeIntervalSince1970
    let (path, writer) = try newRecording(date)
    let progress = ProgressLine()
    var profile: Profile
    var hasSamples = false
    var hasCommit = false
    let recorder = try startingRecorder(path, options)
    do {
      let collector = options.rate == nil ? nil : SampleCollector(recorder)
      let tracker = options.heap == nil ? nil : HeapTracker(recorder)
      profile = try recorder.run(
        write: { profile in
          if !hasCommit { profile.provenance.gitCommit = commit.answer() }
          hasCommit = true
          try writer.append(&profile)
        },
        progress: { progress.show($0, collector, tracker) })
      hasSamples = collector.map { $0.sampleCount > 0 } ?? true
    } catch let error as CaptureError {
      try? FileManager.default.removeItem(atPath: path)  // nothing was recorded
      throw error
    } catch let error as RecordingError {
      throw CLIError.recordingFailed(
        reason: "\(error)", exit: recorder.rows.profile.provenance.exit ?? .leftRunning)
    }
    progress.clear()
    let problems = Symbolizer().symbolize(&profile)
    try writer.finish(profile)
    try writer.close()
    try summarize(path, problems, isUseless: isUseless(profile, hasSamples: hasSamples))
    return profile.provenance.exit ?? .leftRunning
  }

  private func startingRecorder(_ path: String, _ options: Recorder.Options) throws -> Recorder {
    do {
      return try Recorder(command, agent: agent, options: options)
    } catch {
      try? FileManager.default.removeItem(atPath: path)  // nothing was recorded
      throw error
    }
  }

  private func newRecording(_ date: Date) throws -> (path: String, writer: RecordingWriter) {
    if let output {
      guard !isBeingRecorded(path: output) else { throw RecordingError.busy(path: output) }
      if (try? readRecording(path: output)) != nil {
        try FileManager.default.removeItem(atPath: output)
      }
      return (output, try RecordingWriter(path: output))
    }
    let folder = RecordingsFolder.governing(FileManager.default.currentDirectoryPath)
    var date = date
    while true {
      let path = try folder.newRecordingPath(name: name, date: date)
      if let writer = try Self.writerUnlessTaken(path) { return (path, writer) }
      date += 1  // another recorder was quicker
    }
  }

  private static func writerUnlessTaken(_ path: String) throws -> RecordingWriter? {
    do {
      return try RecordingWriter(path: path)
    } catch {
      if case .alreadyExists = error { return nil }
      throw error
    }
  }

  /// The command used a CPU and left no sample at all, or allocates past the agent.
  private func isUseless(_ profile: Profile, hasSamples: Bool) -> Bool {
    let noticeable = Nanoseconds(100_000_000)
    return !hasSamples && (profile.provenance.cpuTime ?? noticeable) >= noticeable
      || profile.heap?.processes.contains { $0.untracked != nil } ?? false
  }

  /// What was recorded and what is wrong with it, for a person at a terminal. Elsewhere standard
  /// error belongs to the command alone, unless the recording is of no use.
  private func summarize(_ path: String, _ problems: [SymbolProblem], isUseless: Bool) throws {
    let isTerminal = isatty(STDERR_FILENO) == 1
    guard isTerminal || isUseless else { return }
    let report = Reporting.Report(try readRecording(path: path).profile, source: path)
    if isTerminal { Terminal.complain(report.summary + ", in " + shown(path)) }
    for note in report.notes + problems.map(\.description) { Terminal.complain(note) }
  }

  private func shown(_ path: String) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }
}
