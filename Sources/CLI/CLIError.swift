import ProfileModel

/// What the commands themselves can find wrong. Every case says what to do next.
enum CLIError: Error, Hashable {
  /// No recording in the folder of the project.
  case noRecording(folder: String)
  case cannotWrite(path: String, reason: String)
  /// The recording could not be written while the command ran.
  case recordingFailed(reason: String, exit: Provenance.ExitStatus)
  case cannotRead(path: String)
  /// A suffix from which no format follows.
  case unknownFormat(path: String, known: [String])
  /// A heap metric of a profile in which allocations were not tracked. `source` is the file that
  /// was read, where more than one is.
  case noHeap(metric: String, source: String? = nil)
  /// A heap metric of a recording that has totals only.
  case noHeapSites(metric: String, source: String? = nil)
  /// CPU time of a profile that has only a heap.
  case noCPUSamples(source: String? = nil)
  /// A heap only, to compare CPU time with.
  case incomparable(base: String)
  /// None of the memory that `--memory` asks for.
  case noSuchMemory(HeapSite.Kind, source: String?)
  /// `--memory` with CPU time.
  case memoryWithoutHeapMetric
}

extension CLIError: CustomStringConvertible {
  var description: String {
    switch self {
    case .noRecording(let folder):
      "no recording yet in \(folder); make one with 'qprof record -- COMMAND', or name a file"
    case .cannotWrite(let path, let reason):
      "cannot write '\(path)': \(reason); name another file with -o"
    case .recordingFailed(let reason, let exit):
      "\(reason). The command was left to run and ended with \(Self.name(exit)); what was recorded "
        + "before is kept"
    case .cannotRead(let path):
      "cannot read '\(path)'; check the name and who may read it"
    case .unknownFormat(let path, let known):
      "no format follows from the name '\(path)'; choose one with -f: \(known.joined(separator: ", "))"
    case .noHeap(let metric, let source):
      "there are no allocations in \(Self.name(source)), so --metric \(metric) has nothing to show; "
        + "record them with 'qprof record --heap -- COMMAND'"
    case .noHeapSites(let metric, let source):
      "\(Self.name(source)) was recorded with --heap=count, which counts allocations and does not "
        + "keep where they are made, so there is nothing to show by --metric \(metric); record with "
        + "--heap or --heap=sample"
    case .noCPUSamples(let source):
      "there are no samples of CPU time in \(Self.name(source)); choose another --metric: "
        + HeapMetric.allCases.map(\.rawValue).joined(separator: ", ")
    case .incomparable(let base):
      "'\(base)' has allocations only, which CPU time cannot be compared with; choose a --metric "
        + "that both profiles have"
    case .noSuchMemory(let kind, let source):
      "there is no \(Self.name(kind)) in \(Self.name(source)); leave out --memory to see its blocks"
    case .memoryWithoutHeapMetric:
      "--memory is about allocations and not about CPU time; add a --metric: "
        + HeapMetric.allCases.map(\.rawValue).joined(separator: ", ")
    }
  }

  private static func name(_ kind: HeapSite.Kind) -> String {
    switch kind {
    case .block: "allocated block"
    case .mapping: "mapping made by the program"
    case .programBreak: "growth of the program break"
    }
  }

  private static func name(_ exit: Provenance.ExitStatus) -> String {
    switch exit {
    case .exited(let status): "exit status \(status)"
    case .signalled(let signal): "signal \(signal)"
    case .leftRunning: "an unknown status"
    }
  }

  private static func name(_ source: String?) -> String {
    source.map { "'\($0)'" } ?? "the profile"
  }
}
