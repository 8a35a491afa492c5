import Foundation

/// A system call that failed.
struct SystemError: Error, CustomStringConvertible {
  let call: String
  let code: Int32
  var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// How a program ended, and the end of what it printed.
struct Ending: Hashable {
  /// 128 + N when signal N ended it.
  var status: Int32
  var lastLines: [String]
}

/// Runs a program to its end with an empty standard input, its standard output and error going to
/// a temporary file. It stays in our process group, so that Ctrl-C reaches it too.
///
/// A program name without a slash is looked up in PATH; one with a slash is relative to
/// `workingDirectory`. When there is no such folder or program, the shell says so in the last
/// lines, and the status is 2 or 127.
func run(
  _ argv: [String], environment: [String: String], workingDirectory: String, keepLines: Int
) throws(SystemError) -> Ending {
  let output = try OutputFile()
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
  posix_spawn_file_actions_adddup2(&actions, output.descriptor, 1)
  posix_spawn_file_actions_adddup2(&actions, output.descriptor, 2)

  // A thread of a pool has signals blocked, and a child would inherit that.
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var noSignals = sigset_t()
  sigemptyset(&noSignals)
  posix_spawnattr_setsigmask(&attributes, &noSignals)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

  // Swift does not see glibc's addchdir_np, and a chdir of our own would hit all threads.
  let inFolder = ["/bin/sh", "-c", "cd -- \"$0\" && exec \"$@\"", workingDirectory] + argv
  var arguments = inFolder.map { strdup($0) } + [nil]
  var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
  defer { (arguments + variables).forEach { free($0) } }
  var pid: pid_t = 0
  let code = posix_spawn(&pid, inFolder[0], &actions, &attributes, &arguments, &variables)
  guard code == 0 else { throw SystemError(call: "posix_spawn", code: code) }

  var status: Int32 = 0
  while waitpid(pid, &status, 0) < 0 {
    guard errno == EINTR else { throw SystemError(call: "waitpid", code: errno) }
  }
  let signal = status & 0x7f
  return Ending(
    status: signal == 0 ? (status >> 8) & 0xff : 128 + signal,
    lastLines: output.lastLines(keepLines))
}

/// A temporary file without a name: the kernel removes it with its last descriptor, so nothing
/// is left behind however we end.
private struct OutputFile: ~Copyable {
  let descriptor: Int32

  /// Lines are looked for in this many bytes at the end, however much was written.
  private static let window = 16 << 10

  init() throws(SystemError) {
    let folder = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    var template = Array("\(folder)/qprof-build-XXXXXX".utf8CString)
    descriptor = mkstemp(&template)
    guard descriptor >= 0 else {
      throw SystemError(call: "temporary file in \(folder)", code: errno)
    }
    unlink(template)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
  }

  deinit { close(descriptor) }

  /// At most `count` non-empty lines from the end of the file.
  func lastLines(_ count: Int) -> [String] {
    let end = lseek(descriptor, 0, SEEK_END)
    var bytes = [UInt8](repeating: 0, count: min(Self.window, max(0, Int(end))))
    let read = pread(descriptor, &bytes, bytes.count, end - off_t(bytes.count))
    let text = String(decoding: bytes.prefix(max(0, read)), as: UTF8.self)
    return text.split(whereSeparator: \.isNewline).suffix(count).map(String.init)
  }
}
