import ProfileModel

/// What the commands themselves can find wrong. Every case says what to do next.
enum CLIError: Error, Hashable {
  /// No recording in the folder of the project.
  case noRecording(folder: String)
  case cannotWrite(path: String, reason: String)
  /// A suffix from which no format follows.
  case unknownFormat(path: String, known: [String])
  /// A heap metric of a profile in which allocations were not tracked.
  case noHeap(metric: String)
  /// A heap metric of a recording that has totals only.
  case noHeapSites(metric: String)
  /// CPU time of a profile that has only a heap.
  case noCPUSamples
}

extension CLIError: CustomStringConvertible {
  var description: String {
    switch self {
    case .noRecording(let folder):
      "no recording yet in \(folder); make one with 'qprof record -- COMMAND', or name a file"
    case .cannotWrite(let path, let reason):
      "cannot write '\(path)': \(reason); name another file with -o"
    case .unknownFormat(let path, let known):
      "no format follows from the name '\(path)'; choose one with -f: \(known.joined(separator: ", "))"
    case .noHeap(let metric):
      "there are no allocations in this profile, so --metric \(metric) has nothing to show; record "
        + "them with 'qprof record --heap -- COMMAND'"
    case .noHeapSites(let metric):
      "this recording was made with --heap=count, which counts allocations and not where they are "
        + "made, so there is no \(metric) by stack; record with --heap or --heap=sample"
    case .noCPUSamples:
      "there are no samples of CPU time in this profile; choose another --metric: "
        + HeapMetric.allCases.map(\.rawValue).joined(separator: ", ")
    }
  }
}
