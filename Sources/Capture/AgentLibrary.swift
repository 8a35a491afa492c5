/// The library that is preloaded into the target.
package struct AgentLibrary: Hashable, Sendable {
  /// By file name.
  package enum Kind: String, CaseIterable, Sendable {
    case sampler = "libqprof-sampler.so"
    /// Contains the sampler.
    case heap = "libqprof-heap.so"
  }
  package let kind: Kind
  package let path: String

  /// Code at `path` is an agent's.
  package static func isAgent(_ path: String) -> Bool {
    Kind.allCases.contains { path.hasSuffix("/" + $0.rawValue) }
  }

  /// Looks in `folder` if one is given, else in `QPROF_AGENT_DIR`, beside this program, and in
  /// `../lib/qprof` from there.
  package static func find(_ kind: Kind = .sampler, in folder: String?) throws(CaptureError)
    -> AgentLibrary
  {
    var folders: [String] = []
    if let folder {
      folders = [folder]
    } else {
      if let named = Syscalls.environment("QPROF_AGENT_DIR") { folders.append(named) }
      if let own = Syscalls.linkTarget("/proc/self/exe"), let slash = own.lastIndex(of: "/") {
        let parent = String(own[..<slash])
        folders += [parent, parent + "/../lib/qprof"]
      }
    }
    for folder in folders {
      if let path = Syscalls.absolutePath(folder + "/" + kind.rawValue) {
        return AgentLibrary(kind: kind, path: path)
      }
    }
    throw .agentNotFound(kind.rawValue, searched: folders)
  }
}
