package import ProfileModel

/// Facts about this machine that belong to a recording.
package enum Host {
  /// Length of the kernel's tick, which bounds the rate of CPU timers.
  package static var tick: Nanoseconds { Nanoseconds(Syscalls.tickLength()) }
  package static var now: Nanoseconds { Nanoseconds(Syscalls.monotonicNow()) }
  /// CPU time of the calling thread.
  package static var threadCPUTime: Nanoseconds { Nanoseconds(Syscalls.threadCPUTime()) }
  package static var name: String {
    Syscalls.text("/proc/sys/kernel/hostname").map { $0.filter { $0 != "\n" } } ?? ""
  }
  package static var kernel: String {
    Syscalls.text("/proc/sys/kernel/osrelease").map { $0.filter { $0 != "\n" } } ?? ""
  }
  package static var processors: Int { Syscalls.processors() }
}
