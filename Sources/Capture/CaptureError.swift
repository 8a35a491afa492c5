/// What can keep a recording from starting or going on.
package enum CaptureError: Error, Hashable, Sendable {
  case commandNotFound(String, searched: [String])
  case notExecutable(String, errno: Int32)
  case isDirectory(String)
  case staticallyLinked(String)
  case foreignArchitecture(String, machine: String)
  case setUserID(String)
  case interpreterMissing(script: String, interpreter: String)
  case agentNotFound(String, searched: [String])
  case noRoomForSession(tried: [String])
  case spawnFailed(String, errno: Int32)
  case systemCall(String, errno: Int32, what: String)
}

extension CaptureError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .commandNotFound(let name, let searched):
      return searched.isEmpty
        ? "there is no program '\(name)'. Check the path."
        : "the command '\(name)' is in none of the \(searched.count) folders of PATH."
          + " Check the spelling, or give its path."
    case .notExecutable(let path, let errno):
      return "cannot execute '\(path)': \(errnoText(errno))."
        + " Make it executable (chmod +x), or name its interpreter before it."
    case .isDirectory(let path):
      return "'\(path)' is a folder, not a program. Name a program inside it."
    case .staticallyLinked(let path):
      return "'\(path)' is statically linked: it has no dynamic loader that could preload the"
        + " sampler, so it cannot be recorded. Link it dynamically, or use 'perf record -g'."
    case .foreignArchitecture(let path, let machine):
      return "'\(path)' is built for \(machine); the sampler is an x86-64 library and cannot be"
        + " preloaded into it. Build the program for x86-64."
    case .setUserID(let path):
      return "'\(path)' runs with another user's rights (setuid, setgid or file capabilities), and"
        + " the loader then ignores preloaded libraries. Record a copy without them:"
        + " cp '\(path)' . && qprof record -- ./\(path.split(separator: "/").last ?? "")."
    case .interpreterMissing(let script, let interpreter):
      return "'\(script)' names the interpreter '\(interpreter)', which does not exist."
        + " Correct its first line, or install the interpreter."
    case .agentNotFound(let name, let searched):
      return "the agent library \(name) was not found. Looked in: "
        + searched.joined(separator: ", ")
        + ". Run 'swift build' or 'make install', or name its folder with --agent-dir."
    case .noRoomForSession(let tried):
      return "there is no room for the session file: " + tried.joined(separator: "; ")
        + ". Free some space there, or point XDG_RUNTIME_DIR to a folder that has it."
    case .spawnFailed(let path, let errno):
      return "could not start '\(path)': \(errnoText(errno))."
    case .systemCall(let call, let errno, let what):
      return "\(call) failed for \(what): \(errnoText(errno))."
    }
  }

  /// Exit status as `env` and `timeout` give it: 127 for a command that does not exist, 126 for
  /// one that cannot be run, 125 for qprof's own failures.
  package var exitStatus: Int32 {
    switch self {
    case .commandNotFound, .interpreterMissing: 127
    case .notExecutable, .isDirectory, .staticallyLinked, .foreignArchitecture, .setUserID,
      .spawnFailed:
      126
    case .agentNotFound, .noRoomForSession, .systemCall: 125
    }
  }
}
