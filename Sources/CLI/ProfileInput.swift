import ArgumentParser
import Foundation
import ProfileFormats
import ProfileModel

/// The profile that a command is about.
struct ProfileInput: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "A recording, or a pprof, folded or perf script file.",
      discussion: "The latest recording of the project when left out.", valueName: "input"),
    completion: .file())
  var path: String?

  /// The profile with symbols, and the path it came from.
  func read() throws -> (profile: Profile, source: String) {
    let path = try path ?? Self.latest()
    return (try Self.profile(at: path), path)
  }

  /// The profile at `path`, with symbols.
  static func profile(at path: String) throws -> Profile {
    let (profile, isSymbolized, isComplete) = try readRecording(path: path)
    if !isComplete {
      Terminal.complain("\(path) was cut short; here is what its recorder had written")
    }
    _ = isSymbolized
    return profile
  }

  private static func latest() throws -> String {
    let here = FileManager.default.currentDirectoryPath
    let folder = RecordingsFolder.governing(here)
    guard let path = folder.latest() else { throw CLIError.noRecording(folder: folder.path) }
    // As the user would write it.
    return path.hasPrefix(here + "/") ? String(path.dropFirst(here.count + 1)) : path
  }
}
