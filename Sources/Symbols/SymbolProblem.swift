package import Elf
package import ProfileModel

/// Why the functions of a file could not be named, or not in full.
package enum SymbolProblem: Error, Hashable, Sendable {
  /// The file cannot be read; its code is shown by address.
  case unreadable(path: String, ElfError)
  /// The file at this path is not the one that was mapped. Its names would be wrong.
  case replaced(path: String, recorded: BuildID, found: BuildID?)
  /// The file was deleted or replaced while it was mapped, and has no build-id to know it by.
  case deleted(path: String)
  /// A debug file was found, but it belongs to another build.
  case foreignDebugFile(path: String, debugFile: String)
  case unreadableDebugFile(path: String, ElfError)
  /// The debug file refers to a file of shared parts (`dwz`), which was not found.
  case missingAlternate(debugFile: String, alternate: String)
}

extension SymbolProblem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unreadable(_, let error), .unreadableDebugFile(_, let error):
      "\(error)"
    case .replaced(let path, let recorded, let found):
      "\(path) changed since the recording: its build-id was \(recorded.hex) and is now "
        + "\(found?.hex ?? "none"). Its functions are shown by address; record again."
    case .deleted(let path):
      "\(path) was deleted or replaced while it ran and has no build-id. Its functions are shown by "
        + "address; link it with --build-id, or record again without rebuilding meanwhile."
    case .foreignDebugFile(let path, let debugFile):
      "\(debugFile) is not the debug file of \(path): they are of different builds. "
        + "Install the debug file that belongs to it."
    case .missingAlternate(let debugFile, let alternate):
      "\(debugFile) needs \(alternate), which is not installed. "
        + "Functions in shared parts have no names; install the whole debug package."
    }
  }
}
