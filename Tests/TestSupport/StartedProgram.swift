package import Foundation

/// How a program ended, and what it printed.
package struct ProgramResult: Hashable, Sendable {
  package enum Ending: Hashable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
  }
  package var ending: Ending
  package var outputBytes: Data
  package var errorBytes: Data
  /// User and system time of the program and the children it waited for.
  package var cpuSeconds: Double

  package var output: String { String(decoding: outputBytes, as: UTF8.self) }
  package var error: String { String(decoding: errorBytes, as: UTF8.self) }
  /// The exit status as a shell shows it.
  package var status: Int32 {
    switch ending {
    case .exited(let status): status
    case .killed(let signal): 128 + signal
    }
  }
}

/// A program that runs, in a process group of its own and with no signal blocked or ignored.
///
/// Its streams are files, not pipes: nothing has to be drained while it runs.
package final class StartedProgram {
  package let pid: pid_t
  private let command: [String]
  private let scratch: Scratch
  private var isReaped = false

  /// - Parameters:
  ///   - command: a path or a name in `PATH`, and arguments.
  ///   - environment: variables that differ from the test's own; nil removes one.
  package init(
    _ command: [String], folder: String? = nil, environment: [String: String?] = [:],
    input: String = ""
  ) throws {
    self.command = command
    scratch = try Scratch()
    try scratch.write(input, "in")
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, scratch("in"), O_RDONLY, 0)
    for (stream, name) in [(Int32(1), "out"), (2, "err")] {
      posix_spawn_file_actions_addopen(
        &actions, stream, scratch(name), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    }
    var variables = ProcessInfo.processInfo.environment
    for (name, value) in environment { variables[name] = value }
    // Glibc's module does not show the file action that changes the folder.
    let inFolder = folder.map { ["env", "-C", $0] + command } ?? command
    pid = try Self.spawn(inFolder, &actions, variables.map { "\($0)=\($1)" })
  }

  deinit { if !isReaped { kill(-pid, SIGKILL) } }

  private static func spawn(
    _ command: [String], _ actions: inout posix_spawn_file_actions_t, _ environment: [String]
  ) throws -> pid_t {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    posix_spawnattr_setflags(&attributes, Int16(flags))
    let arguments = command.map { strdup($0) } + [nil]
    let variables = environment.map { strdup($0) } + [nil]
    defer { for text in arguments + variables { free(text) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(
      &pid, command[0], &actions, &attributes, arguments, variables)
    guard failure == 0 else {
      throw ToolFailure(
        command: command, status: 127, errors: String(cString: strerror(failure)))
    }
    return pid
  }

  /// Sends `signal` to the program alone, or to its whole group, as a terminal does.
  package func send(_ signal: Int32, toGroup: Bool = false) {
    if !isReaped { kill(toGroup ? -pid : pid, signal) }
  }

  /// What was printed so far.
  package var output: String {
    String(decoding: (try? bytes("out")) ?? Data(), as: UTF8.self)
  }

  /// Waits for the end; a program that takes longer than `seconds` of wall time is killed with its
  /// group, and an error says so.
  package func wait(seconds: Double = 300) throws -> ProgramResult {
    let limit = ContinuousClock.now + .seconds(seconds)
    var status: Int32 = 0
    var usage = rusage()
    while true {
      let found = wait4(pid, &status, WNOHANG, &usage)
      if found == pid { break }
      guard found == 0, ContinuousClock.now < limit else {
        kill(-pid, SIGKILL)
        wait4(pid, nil, 0, nil)
        isReaped = true
        throw ToolFailure(
          command: command, status: status,
          errors: found == 0 ? "still running after \(seconds) s" : String(cString: strerror(errno))
        )
      }
      usleep(5000)
    }
    isReaped = true
    let signal = status & 0x7f
    return ProgramResult(
      ending: signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal: signal),
      outputBytes: try bytes("out"), errorBytes: try bytes("err"),
      cpuSeconds: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime))
  }

  private func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: scratch(name)))
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1e6
  }
}

/// Runs a program to its end, whatever that is.
package func runToEnd(
  _ command: [String], folder: String? = nil, environment: [String: String?] = [:],
  input: String = ""
) throws -> ProgramResult {
  try StartedProgram(command, folder: folder, environment: environment, input: input).wait()
}
