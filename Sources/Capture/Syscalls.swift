// The only file of this target that calls the system. EINTR is handled here, and errno becomes a
// CaptureError or an optional at once.

import CLinux
import Glibc

/// The kernel's words for an error number.
func errnoText(_ number: Int32) -> String {
  strerror(number).map { String(cString: $0) } ?? "error \(number)"
}

enum Syscalls {
  static func retrying<T: BinaryInteger>(_ call: () -> T) -> T {
    while true {
      let result = call()
      if result != -1 || errno != EINTR { return result }
    }
  }

  /// Time on `CLOCK_MONOTONIC`.
  static func monotonicNow() -> Int64 { time(on: CLOCK_MONOTONIC) }

  /// CPU time of the calling thread.
  static func threadCPUTime() -> Int64 { time(on: CLOCK_THREAD_CPUTIME_ID) }

  private static func time(on clock: clockid_t) -> Int64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }

  /// Length of the kernel's tick: the resolution of its coarse clock.
  static func tickLength() -> Int64 {
    var resolution = timespec()
    clock_getres(CLOCK_MONOTONIC_COARSE, &resolution)
    return Int64(resolution.tv_sec) * 1_000_000_000 + Int64(resolution.tv_nsec)
  }

  /// The whole of a file of the kernel's (`/proc/…`), up to `limit` bytes; nil when it cannot be
  /// read, which is how a process that has gone shows itself.
  static func contents(_ path: String, limit: Int = 16 << 20) -> [UInt8]? {
    let file = retrying { open(path, O_RDONLY | O_CLOEXEC) }
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16 << 10)
    while bytes.count < limit {
      let got = retrying { read(file, &buffer, buffer.count) }
      guard got > 0 else { return got == 0 ? bytes : nil }
      bytes += buffer[..<got]
    }
    return bytes
  }

  static func text(_ path: String) -> String? {
    contents(path).map { String(decoding: $0, as: UTF8.self) }
  }

  static func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink(path, &buffer, buffer.count)
    guard length > 0 else { return nil }
    return String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Names in a folder, without `.` and `..`; empty when it cannot be read.
  static func entries(of folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }

  static func status(_ path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
  }

  static func canExecute(_ path: String) -> Int32 { access(path, X_OK) == 0 ? 0 : errno }

  /// The file has capabilities that make the loader distrust the environment.
  static func hasFileCapabilities(_ path: String) -> Bool {
    getxattr(path, "security.capability", nil, 0) > 0
  }

  static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

  static func allEnvironment() -> [String] {
    var result: [String] = []
    var next = environ
    while let entry = next.pointee {
      result.append(String(cString: entry))
      next += 1
    }
    return result
  }
}

// MARK: - The session file

extension Syscalls {
  /// A private folder with an unpredictable name in `parent`, or the error number.
  static func makePrivateFolder(in parent: String) -> Result<String, ErrnoFailure> {
    var template = Array((parent + "/qprof-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else { return .failure(ErrnoFailure(number: errno)) }
    return .success(
      String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  struct ErrnoFailure: Error { var number: Int32 }

  static func createFile(_ path: String) -> Int32 {
    retrying { open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600) }
  }

  /// Allocates `[offset, offset + length)`. Zero or an error number. A sparse page on a full tmpfs
  /// would kill the target with SIGBUS when it is first written.
  static func allocate(_ file: Int32, offset: Int, length: Int) -> Int32 {
    var result: Int32
    repeat { result = posix_fallocate(file, offset, length) } while result == EINTR
    return result
  }

  /// Maps `length` bytes, readable and writable by all who map the file.
  static func mapShared(_ file: Int32, length: Int) -> UnsafeMutableRawPointer? {
    let address = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    return address == MAP_FAILED ? nil : address
  }

  static func unmap(_ address: UnsafeMutableRawPointer, length: Int) { munmap(address, length) }
  static func remove(_ path: String) { unlink(path) }
  static func rename(_ path: String, to new: String) -> Bool { Glibc.rename(path, new) == 0 }
  static func removeFolder(_ path: String) { rmdir(path) }
  static func closeFile(_ file: Int32) { close(file) }

  /// Takes the lock that marks a session as in use; false when another process holds it.
  static func lock(_ file: Int32) -> Bool { flock(file, LOCK_EX | LOCK_NB) == 0 }

  /// Opens an existing file of ours, without following a link.
  static func openOwn(_ path: String) -> Int32? {
    let file = retrying { open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC) }
    return file >= 0 ? file : nil
  }
  static func makeLink(to target: String, at path: String) -> Bool { symlink(target, path) == 0 }
}

// MARK: - Processes

extension Syscalls {
  /// Opens the file behind a mapping of process `pid` by its address range. Needs privilege.
  static func openMapped(pid: Int32, range: String) -> Int32? {
    let file = retrying { open("/proc/\(pid)/map_files/\(range)", O_RDONLY | O_CLOEXEC) }
    return file >= 0 ? file : nil
  }

  static func openForReading(_ path: String) -> Int32? {
    let file = retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    return file >= 0 ? file : nil
  }

  static func identity(of file: Int32) -> (device: UInt64, inode: UInt64)? {
    var status = stat()
    guard fstat(file, &status) == 0 else { return nil }
    return (UInt64(status.st_dev), UInt64(status.st_ino))
  }

  struct FileVersion: Hashable {
    var modified: Int64
    var size: Int64
  }

  /// Tells one content of a file from another; nil when `path` is no longer that inode.
  static func version(of path: String, inode: UInt64) -> FileVersion? {
    guard let status = status(path), UInt64(status.st_ino) == inode else { return nil }
    let modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    return FileVersion(modified: modified, size: Int64(status.st_size))
  }

  static func sendSignal(_ number: Int32, to pid: Int32) { kill(pid, number) }

  /// Starts `path` with signals as they were before the recorder blocked its own.
  static func spawn(
    path: String, arguments: [String], environment: [String], folder: String?,
    signalMask: sigset_t
  ) -> Result<Int32, ErrnoFailure> {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var mask = signalMask
    posix_spawnattr_setsigmask(&attributes, &mask)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let folder { qprof_spawn_in_folder(&actions, folder) }
    var pid: pid_t = 0
    let result = withCStrings(arguments) { arguments in
      withCStrings(environment) { environment in
        posix_spawn(&pid, path, &actions, &attributes, arguments, environment)
      }
    }
    return result == 0 ? .success(pid) : .failure(ErrnoFailure(number: result))
  }

  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
      .allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() { pointers[index] = strdup(string) }
    pointers[strings.count] = nil
    defer {
      for index in strings.indices { free(pointers[index]) }
      pointers.deallocate()
    }
    return body(pointers)
  }

  /// The child's status and resource use if it has ended.
  static func reap(_ pid: Int32) -> (status: Int32, usage: rusage)? {
    var status: Int32 = 0
    var usage = rusage()
    let result = retrying { wait4(pid, &status, WNOHANG, &usage) }
    return result == pid ? (status, usage) : nil
  }
}

// MARK: - Signals to the recorder

extension Syscalls {
  struct ReceivedSignal {
    var number: Int32
    /// Sent by the kernel (a terminal's Ctrl-C), so the whole process group has it already.
    var fromKernel: Bool
  }

  /// Blocks the signals of `set` and gives a descriptor to read them from, with the mask as it was.
  static func divertSignals(_ numbers: [Int32]) -> (file: Int32, oldMask: sigset_t)? {
    var set = sigset_t()
    var old = sigset_t()
    sigemptyset(&set)
    for number in numbers { sigaddset(&set, number) }
    guard pthread_sigmask(SIG_BLOCK, &set, &old) == 0 else { return nil }
    let file = qprof_signalfd(&set)
    return file >= 0 ? (file, old) : nil
  }

  static func restoreSignals(_ mask: sigset_t) {
    var mask = mask
    pthread_sigmask(SIG_SETMASK, &mask, nil)
  }

  /// Sleeps until a diverted signal arrives, or `nanoseconds` have passed.
  static func waitForSignal(_ file: Int32, nanoseconds: Int64) -> [ReceivedSignal] {
    guard qprof_wait_readable(file, nanoseconds) else { return [] }
    var received: [ReceivedSignal] = []
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    while read(file, &info, size) == size {
      received.append(
        ReceivedSignal(number: Int32(info.ssi_signo), fromKernel: info.ssi_code > 0))
    }
    return received
  }
}

extension Syscalls {
  static func lastError() -> Int32 { errno }
  static func ownPID() -> Int32 { getpid() }

  /// A real folder (no link) that belongs to this user and to no one else.
  static func isOwnFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
      && status.st_uid == geteuid()
  }
}

extension Syscalls {
  /// The path without links, `.` and `..`; nil when there is no such file.
  static func absolutePath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

extension Syscalls {
  static func isFolder(_ path: String) -> Bool {
    status(path).map { $0.st_mode & S_IFMT == S_IFDIR } ?? false
  }

  static func firstBytes(of path: String, count: Int) -> [UInt8]? {
    guard let file = openForReading(path) else { return nil }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: count)
    let got = retrying { read(file, &buffer, count) }
    return got >= 0 ? Array(buffer[..<got]) : nil
  }

  /// Running the file would change the user or add capabilities, so that the loader takes it for
  /// a secure execution (man 8 ld.so) and ignores LD_PRELOAD.
  static func gainsPrivileges(_ path: String) -> Bool {
    guard let status = status(path) else { return false }
    let changesUser = status.st_mode & S_ISUID != 0 && status.st_uid != getuid()
    let changesGroup = status.st_mode & S_ISGID != 0 && status.st_gid != getgid()
    return changesUser || changesGroup || (hasFileCapabilities(path) && getuid() != 0)
  }
}

extension Syscalls {
  static func sleep(milliseconds: Int) {
    var rest = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    var left = timespec()
    while nanosleep(&rest, &left) == -1 && errno == EINTR { rest = left }
  }
}

extension Syscalls {
  static func processors() -> Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}

extension Syscalls {
  /// Takes the default action of a signal, without a second core dump.
  static func dieOfSignal(_ number: Int32) {
    var none = rlimit(rlim_cur: 0, rlim_max: 0)
    setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    signal(number, SIG_DFL)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, number)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(number)
  }
}

extension Syscalls {
  /// Largest resident set of this process so far, in KiB.
  static func peakResidentKilobytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }
}
