import ArgumentParser
import Capture

struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a command and record where it spends its time, or its memory.",
    usage: """
      qprof record [OPTIONS] -- COMMAND [ARGUMENTS]
      qprof record [OPTIONS] --bench NAME
      """,
    discussion: """
      Samples every thread of the command and of its child processes. The
      command's output, exit status and signals are what they are without qprof.
      Ctrl-C ends the command and keeps what was recorded.

        qprof record -- xz -9 -k big.tar
        qprof record --bench ml_dsa
        qprof record --heap -- sqlite3 test.db .dump

      With --heap every allocation is followed: where it was made, whether it
      was freed, and what was live when the heap was largest. --heap=sample draws
      one per 512 KiB (--heap=sample:64K: per 64 KiB) and estimates, at next to no
      cost; --heap=count keeps totals only.
      """)

  @Option(help: ArgumentHelp("Record a bench of qprof.toml, after its build.", valueName: "name"))
  var bench: String?

  @Option(
    name: [.customShort("F"), .long],
    help: ArgumentHelp(
      "Samples per second of CPU time of each thread.",
      discussion: "More than the kernel's tick allows (often 250) is reached by weighting.",
      valueName: "hz"))
  var frequency: Double = 250

  @Option(
    help: ArgumentHelp(
      "Track allocations instead of CPU time: full, sample[:BYTES] or count.",
      discussion: "Every allocation if nothing is said: --heap is --heap=full.", valueName: "mode"))
  var heap: HeapOption?

  @Flag(help: "With --heap: sample CPU time as well.")
  var cpu = false

  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Where to put the recording.", discussion: "In .qprof/recordings of the project if left out.",
      valueName: "file"), completion: .file())
  var output: String?

  @Option(
    help: ArgumentHelp("Folder of libqprof-sampler.so and libqprof-heap.so.", valueName: "folder"),
    completion: .directory)
  var agentDir: String?

  @Argument(parsing: .captureForPassthrough, help: "The command and its arguments.")
  var command: [String] = []

  func validate() throws {
    // The passthrough takes in what is no option of ours, also when it stands before the command.
    if let word = command.first, word != "--", word.hasPrefix("-") {
      if ["-h", "--help"].contains(word) { throw CleanExit.helpRequest(self) }
      throw ValidationError("Unknown option '\(word)'. Put '--' before the command.")
    }
    guard (1...10_000).contains(frequency) else {
      throw ValidationError("-F takes 1 to 10000 samples per second, not \(frequency).")
    }
    guard !cpu || heap != nil else {
      throw ValidationError("CPU time is what is recorded without --heap; --cpu adds it to --heap.")
    }
    let hasCommand = !commandLine.isEmpty
    if bench != nil, hasCommand {
      throw ValidationError("Name a bench or a command, not both.")
    }
    if bench == nil, !hasCommand {
      throw ValidationError("Nothing to record: name a command after '--', or a bench.")
    }
  }

  func run() throws {
    let status = try RecordingRun(self).run()
    status.endLikewise()
  }

  /// The command without the `--` before it.
  var commandLine: [String] { command.first == "--" ? Array(command.dropFirst()) : command }
}
