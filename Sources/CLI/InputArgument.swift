import ArgumentParser
import Foundation
import ProfileFormats
import ProfileModel
import Symbols

/// The profile that a command is about.
struct InputArgument: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A recording, or a pprof, folded or perf script file; - for standard input.",
      discussion: "The latest recording of the project when left out.", valueName: "input"),
    completion: .file())
  var path: String?

  /// The profile, with symbols, and what its user calls it.
  func read(_ metric: MetricOption? = nil) throws -> (profile: Profile, source: String) {
    let path = try path ?? Self.latest()
    return (try Self.profile(at: path, metric), path == "-" ? "standard input" : path)
  }

  /// The profile at `path`, with symbols. Of a file with several values for each sample it has
  /// those of `metric`. What its user should know goes to standard error.
  static func profile(at path: String, _ metric: MetricOption? = nil) throws -> Profile {
    var input = try readProfile(
      path: path == "-" ? "/dev/stdin" : path, values: metric?.values ?? .fileDefault)
    if !input.isComplete {
      Terminal.complain(
        input.isBeingRecorded
          ? "the recording '\(path)' is still at work; here is what it has so far"
          : "the recorder of '\(path)' was killed; here is what it had written")
    }
    if !input.isComplete || !input.isSymbolized { symbolize(&input, path) }
    if let example = input.skipped.examples.first {
      Terminal.complain(
        "\(input.skipped.count) line\(input.skipped.count == 1 ? "" : "s") of '\(path)' could not be "
          + "read and were passed over, such as line \(example.number): \(example.text)")
    }
    return input.profile
  }

  /// Does what the recorder could not.
  private static func symbolize(_ input: inout ProfileInput, _ path: String) {
    for problem in Symbolizer().symbolize(&input.profile) { Terminal.complain("\(problem)") }
    guard !input.isSymbolized else { return }
    // The names are kept for the next reader, while the files are still what they were. Where
    // that fails, because the recording may not be written, nothing is lost but time.
    try? storeSymbols(path: path, profile: input.profile)
  }

  private static func latest() throws -> String {
    let here = FileManager.default.currentDirectoryPath
    let folder = RecordingsFolder.governing(here)
    guard let path = folder.latest() else { throw CLIError.noRecording(folder: folder.path) }
    // As the user would write it.
    return path.hasPrefix(here + "/") ? String(path.dropFirst(here.count + 1)) : path
  }
}
