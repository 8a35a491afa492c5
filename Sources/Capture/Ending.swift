import Glibc
package import ProfileModel

extension Provenance.ExitStatus {
  /// Ends this process the way the target ended, as if it had been run without qprof: with its exit
  /// status, or by the same signal. A target that was left running counts as a success.
  package func endLikewise() -> Never {
    switch self {
    case .exited(let status): exit(status)
    case .leftRunning: exit(0)
    case .signalled(let number):
      Syscalls.dieOfSignal(number)
      exit(128 + number)  // a signal that does not end a process, after all
    }
  }
}
