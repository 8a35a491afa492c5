/// What the commands themselves can find wrong. Every case says what to do next.
enum CLIError: Error, Hashable {
  /// No recording in the folder of the project.
  case noRecording(folder: String)
  case cannotWrite(path: String, reason: String)
  /// A suffix from which no format follows.
  case unknownFormat(path: String, known: [String])
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
    }
  }
}
