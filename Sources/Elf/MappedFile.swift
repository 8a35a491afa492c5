import Glibc

/// The bytes of a regular file, mapped for the life of the object.
///
/// A file that shrinks while it is mapped raises SIGBUS on access, as for every user of `mmap`;
/// linkers and package managers replace files instead of rewriting them.
package final class MappedFile: Sendable {
  package let path: String
  /// Valid as long as this object lives.
  package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer
  package let device: UInt64
  package let inode: UInt64

  /// Larger files are refused. Address space is all that a mapping costs.
  package static let sizeLimit: Int64 = 1 << 36

  package enum Access: Sendable {
    case readOnly
    /// For libdw: it writes into section headers when it expands compressed sections. What it
    /// writes stays in this process.
    case copyOnWrite
  }

  package convenience init(path: String, access: Access = .readOnly) throws(ElfError) {
    // O_NONBLOCK: opening a FIFO must not wait for its writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, errno: errno) }
    defer { close(descriptor) }
    try self.init(descriptor: descriptor, path: path, access: access)
  }

  /// Maps an open file; the descriptor stays open and the caller's. `path` is for messages.
  package init(
    descriptor: Int32, path: String, access: Access = .readOnly
  ) throws(ElfError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .cannotOpen(path: path, errno: errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notRegular(path: path) }
    guard status.st_size > 0 else { throw .empty(path: path) }
    let size = Int64(status.st_size)
    guard size <= Self.sizeLimit else {
      throw .tooLarge(path: path, bytes: size, limit: Self.sizeLimit)
    }
    // No room is reserved for pages that are never written.
    let protection = access == .readOnly ? PROT_READ : PROT_READ | PROT_WRITE
    let flags = MAP_PRIVATE | MAP_NORESERVE
    bytes = try Self.map(Int(size), descriptor, flags, protection, path)
    self.path = path
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }

  /// A copy of bytes that have no file. Device and inode are 0.
  init(copying source: UnsafeRawBufferPointer, name: String) throws(ElfError) {
    guard !source.isEmpty else { throw .empty(path: name) }
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    bytes = try Self.map(source.count, -1, flags, PROT_READ | PROT_WRITE, name)
    UnsafeMutableRawBufferPointer(mutating: bytes).copyMemory(from: source)
    path = name
    device = 0
    inode = 0
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count)
  }

  private static func map(
    _ size: Int, _ descriptor: Int32, _ flags: Int32, _ protection: Int32, _ path: String
  ) throws(ElfError) -> UnsafeRawBufferPointer {
    let start = mmap(nil, size, protection, flags, descriptor, 0)
    guard start != MAP_FAILED else { throw .cannotMap(path: path, errno: errno) }
    return UnsafeRawBufferPointer(start: start, count: size)
  }
}
