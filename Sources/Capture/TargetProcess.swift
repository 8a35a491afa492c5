import Glibc
package import ProfileModel

/// The command being recorded, as this process's child.
package final class TargetProcess {
  package struct Outcome: Hashable, Sendable {
    package var status: Provenance.ExitStatus
    /// User and system time of the command and of all children it waited for.
    package var cpuTime: Nanoseconds
    package var peakResidentBytes: Int64?
  }

  package let pid: Int32
  package private(set) var outcome: Outcome?
  /// Signals that asked this process to end, counted.
  package private(set) var interruptions = 0
  /// KiB that this process had at most when it started the target. The kernel counts them as the
  /// target's until its exec, so a smaller peak of its own is not known.
  private let ownPeak: Int
  private let signals: Int32
  private let originalMask: sigset_t

  private static let forwarded = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2]

  /// Starts `command`. From here on signals sent to this process go to the target.
  /// - Parameters:
  ///   - environment: added to this process's own, or in its place.
  ///   - folder: working directory of the target; nil for the current one.
  package init(_ command: Command, environment: [String: String], folder: String?)
    throws(CaptureError)
  {
    guard let diverted = Syscalls.divertSignals(Self.forwarded + [SIGCHLD]) else {
      throw .systemCall("signalfd", errno: Syscalls.lastError(), what: "the recorder's signals")
    }
    (signals, originalMask) = diverted
    ownPeak = Syscalls.peakResidentKilobytes()
    let inherited = Syscalls.allEnvironment().filter { entry in
      !environment.keys.contains(String(entry.prefix { $0 != "=" }))
    }
    let added = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    let result = Self.spawn(
      command, environment: inherited + added, folder: folder, signalMask: originalMask)
    switch result {
    case .success(let pid): self.pid = pid
    case .failure(let failure):
      Syscalls.restoreSignals(originalMask)
      Syscalls.closeFile(signals)
      throw .spawnFailed(command.path, errno: failure.number)
    }
  }

  /// A script without a `#!` line is run by the shell, as execvp does.
  private static func spawn(
    _ command: Command, environment: [String], folder: String?, signalMask: sigset_t
  ) -> Result<Int32, Syscalls.ErrnoFailure> {
    let result = Syscalls.spawn(
      path: command.path, arguments: command.arguments, environment: environment, folder: folder,
      signalMask: signalMask)
    guard case .failure(let failure) = result, failure.number == ENOEXEC else { return result }
    return Syscalls.spawn(
      path: "/bin/sh", arguments: ["sh", command.path] + command.arguments.dropFirst(),
      environment: environment, folder: folder, signalMask: signalMask)
  }

  /// Sleeps for up to `time`, less when the target ends, and passes signals on.
  package func wait(_ time: Nanoseconds) {
    for signal in Syscalls.waitForSignal(signals, nanoseconds: time.rawValue) {
      guard signal.number != SIGCHLD else { continue }
      if [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains(signal.number) { interruptions += 1 }
      // A terminal sends Ctrl-C to the target as well; a second one would be another request.
      if outcome == nil, !signal.fromKernel { Syscalls.sendSignal(signal.number, to: pid) }
    }
    reap()
  }

  private func reap() {
    guard outcome == nil, let (status, usage) = Syscalls.reap(pid) else { return }
    let signal = status & 0x7f
    outcome = Outcome(
      status: signal == 0 ? .exited(status >> 8 & 0xff) : .signalled(signal),
      cpuTime: Nanoseconds(Self.nanoseconds(usage.ru_utime) + Self.nanoseconds(usage.ru_stime)),
      peakResidentBytes: ownPeak < usage.ru_maxrss ? Int64(usage.ru_maxrss) * 1024 : nil)
  }

  private static func nanoseconds(_ time: timeval) -> Int64 {
    Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_usec) * 1000
  }

  /// Gives this process its signals back.
  package func release() {
    Syscalls.restoreSignals(originalMask)
    Syscalls.closeFile(signals)
  }
}
