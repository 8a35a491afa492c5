import Glibc

/// What is wrong with a file that should be an ELF image.
package enum ElfError: Error, Hashable, Sendable {
  case cannotOpen(path: String, errno: Int32)
  case cannotMap(path: String, errno: Int32)
  case notRegular(path: String)
  case empty(path: String)
  case tooLarge(path: String, bytes: Int64, limit: Int64)
  case notELF(path: String)
  /// A structure that should lie at `offset` does not fit into the file.
  case truncated(path: String, offset: UInt64, what: String)
}

extension ElfError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .cannotOpen(let path, let errno):
      "cannot open \(path): \(Self.text(errno)). Its functions are shown by address."
    case .cannotMap(let path, let errno):
      "cannot map \(path) into memory: \(Self.text(errno)). Its functions are shown by address."
    case .notRegular(let path):
      "\(path) is not a regular file. Only regular files are read for symbols."
    case .empty(let path):
      "\(path) is empty. Build it again."
    case .tooLarge(let path, let bytes, let limit):
      "\(path) has \(bytes) bytes, more than the \(limit) that are read. Strip its debug sections."
    case .notELF(let path):
      "\(path) is not an ELF file. Name a program or a shared library."
    case .truncated(let path, let offset, let what):
      "\(path) is damaged: the \(what) at offset \(offset) does not fit into the file. "
        + "Build or copy it again."
    }
  }

  private static func text(_ errno: Int32) -> String { String(cString: strerror(errno)) }
}
