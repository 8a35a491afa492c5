/// The library that is preloaded into the target.
package struct AgentLibrary: Hashable, Sendable {
  package static let fileName = "libqprof-sampler.so"
  package let path: String

  /// Looks in `folder` if one is given, else in `QPROF_AGENT_DIR`, beside this program, and in
  /// `../lib/qprof` from there.
  package static func find(in folder: String?) throws(CaptureError) -> AgentLibrary {
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
      if let path = Syscalls.absolutePath(folder + "/" + fileName) {
        return AgentLibrary(path: path)
      }
    }
    throw .agentNotFound(searched: folders)
  }
}
