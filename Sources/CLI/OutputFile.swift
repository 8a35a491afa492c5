import Foundation

/// Writing a result so that it is there whole or not at all.
enum OutputFile {
  /// Writes `bytes` to a temporary file beside `path` and renames it; `-` is standard output, and
  /// what is no regular file (`/dev/null`, a pipe) is written as it is.
  static func write(_ bytes: Data, to path: String) throws {
    if path == "-" { return try Terminal.write(bytes) }
    var status = stat()
    guard stat(path, &status) == 0 else { return try replace(path, with: bytes) }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      // A symbolic link stays one: what it points to is replaced.
      try replace(URL(fileURLWithPath: path).resolvingSymlinksInPath().path, with: bytes)
    case S_IFDIR:
      throw CLIError.cannotWrite(path: path, reason: "it is a folder")
    default:
      let file = open(path, O_WRONLY | O_CLOEXEC)
      guard file >= 0 else { throw error(path) }
      defer { close(file) }
      try fill(file, bytes, path)
    }
  }

  private static func replace(_ path: String, with bytes: Data) throws {
    let url = URL(fileURLWithPath: path)
    let temporary = url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent.prefix(200)).\(getpid()).tmp").path
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw error(path) }
    do {
      defer { close(file) }
      try fill(file, bytes, path)
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, path) == 0 else {
      let failure = error(path)
      unlink(temporary)
      throw failure
    }
  }

  private static func fill(_ file: Int32, _ bytes: Data, _ path: String) throws {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        buffer.baseAddress.map { Glibc.write(file, $0 + written, buffer.count - written) } ?? 0
      }
      guard count >= 0 || errno == EINTR else { throw error(path) }
      written += max(count, 0)
    }
  }

  /// `errno` as an error.
  private static func error(_ path: String) -> CLIError {
    let code = errno
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    switch code {
    case ENOENT: return .cannotWrite(path: path, reason: "there is no folder \(folder)")
    case EACCES, EPERM, EROFS:
      return .cannotWrite(path: path, reason: "the folder \(folder) is not writable")
    default: return .cannotWrite(path: path, reason: String(cString: strerror(code)))
    }
  }
}
