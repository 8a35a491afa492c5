import Elf

/// A command that can be recorded: found, executable, and dynamically linked for this machine.
package struct Command: Hashable, Sendable {
  package let path: String
  package let arguments: [String]

  /// - Parameters:
  ///   - arguments: program name or path, and its arguments.
  ///   - folder: where a relative path starts; nil for the current folder.
  ///   - searchPath: value of `PATH`; nil for this process's own.
  package init(_ arguments: [String], folder: String? = nil, searchPath: String? = nil)
    throws(CaptureError)
  {
    let name = arguments.first ?? ""
    path = try Self.locate(name, folder: folder, searchPath: searchPath)
    self.arguments = arguments
    try Self.checkLoadable(path, folder: folder)
  }

  private static func locate(_ name: String, folder: String?, searchPath: String?)
    throws(CaptureError) -> String
  {
    guard !name.isEmpty else { throw .commandNotFound(name, searched: []) }
    if name.contains("/") {
      let path = absolute(name, folder: folder)
      guard Syscalls.status(path) != nil else { throw .commandNotFound(name, searched: []) }
      try checkExecutable(path)
      return path
    }
    let value = searchPath ?? Syscalls.environment("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
    let folders = value.split(separator: ":").map(String.init)
    var refusal: CaptureError?
    for candidate in folders.map({ absolute($0, folder: folder) + "/" + name })
    where Syscalls.status(candidate) != nil {
      do {
        try checkExecutable(candidate)
        return candidate
      } catch { refusal = refusal ?? error }
    }
    throw refusal ?? .commandNotFound(name, searched: folders)
  }

  private static func absolute(_ path: String, folder: String?) -> String {
    guard !path.hasPrefix("/"), let folder else { return path }
    return folder + "/" + path
  }

  private static func checkExecutable(_ path: String) throws(CaptureError) {
    if Syscalls.isFolder(path) { throw .isDirectory(path) }
    let failure = Syscalls.canExecute(path)
    if failure != 0 { throw .notExecutable(path, errno: failure) }
  }

  /// Follows `#!` lines to the program that the kernel will start, and looks whether the loader
  /// will preload a library into it.
  private static func checkLoadable(_ path: String, folder: String?) throws(CaptureError) {
    var program = path
    for _ in 0..<4 {  // as many levels as the kernel follows
      guard let interpreter = interpreter(of: program) else { break }
      let located = absolute(interpreter, folder: folder)
      guard Syscalls.status(located) != nil else {
        throw .interpreterMissing(script: program, interpreter: interpreter)
      }
      program = located
    }
    guard let file = try? MappedFile(path: program), let image = try? ElfImage(file) else {
      return  // not ELF: the kernel has the last word, and posix_spawn reports it
    }
    let x86_64: UInt16 = 62
    guard image.machine == x86_64, image.isClass64 else {
      throw .foreignArchitecture(program, machine: machineName(image.machine))
    }
    guard image.interpreter != nil else { throw .staticallyLinked(program) }
    if Syscalls.gainsPrivileges(program) { throw .setUserID(program) }
  }

  /// The interpreter that a script's first line names.
  static func interpreter(of path: String) -> String? {
    guard let start = Syscalls.firstBytes(of: path, count: 256),
      start.starts(with: Array("#!".utf8))
    else { return nil }
    let line = start.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") }
    let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    return words.first.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func machineName(_ machine: UInt16) -> String {
    switch machine {
    case 3: "32-bit x86"
    case 40: "32-bit ARM"
    case 62: "x32"
    case 183: "ARM64"
    case 243: "RISC-V"
    default: "ELF machine \(machine)"
    }
  }
}
