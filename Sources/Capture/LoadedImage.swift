import CUnwind
package import Elf
package import ProfileModel

/// An ELF file that some process has mapped, prepared for unwinding.
package final class LoadedImage {
  /// How the unwinder reads the file: plain pointers, since it asks for eight bytes at a time,
  /// millions of times.
  struct View {
    struct Segment {
      var address: UInt64
      var memorySize: UInt64
      var fileSize: UInt64
      var bytes: UnsafeRawPointer
    }
    var segments: UnsafeMutableBufferPointer<Segment>
    var start: UInt64
    var end: UInt64
    /// File address of `.eh_frame_hdr` and rows of its table; 0 rows when libunwind cannot use it.
    var header: UInt64
    var entryCount: UInt64
    /// `.init` and `.fini`; empty where there are none.
    var startupCode: (Range<UInt64>, Range<UInt64>)

    /// Eight bytes at a file address. Past the end of a segment's file part there are zeros: what
    /// the program wrote there is not known, and unwind data does not depend on it.
    func load(_ address: UInt64) -> UInt64? {
      for segment in segments {
        let offset = address &- segment.address
        guard offset < segment.memorySize else { continue }
        if offset &+ 8 <= segment.fileSize {
          return (segment.bytes + Int(offset)).loadUnaligned(as: UInt64.self)
        }
        var value: UInt64 = 0
        for i in 0..<8 where offset &+ UInt64(i) < segment.fileSize {
          value |= UInt64((segment.bytes + Int(offset) + i).load(as: UInt8.self)) << (8 * UInt64(i))
        }
        return value
      }
      return nil
    }
  }

  package let elf: ElfImage
  package let path: String
  package let kind: Mapping.Kind
  let view: UnsafeMutablePointer<View>
  private var rows: [UInt64: unwind_row] = [:]

  init(elf: ElfImage, path: String, kind: Mapping.Kind) {
    self.elf = elf
    self.path = path
    self.kind = kind
    let segments = elf.segments.compactMap { segment -> View.Segment? in
      guard let bytes = elf.bytes(at: segment.address, count: Int(segment.fileSize))?.baseAddress
      else { return nil }
      return View.Segment(
        address: segment.address.rawValue, memorySize: segment.memorySize,
        fileSize: segment.fileSize, bytes: bytes)
    }
    let copy = UnsafeMutableBufferPointer<View.Segment>.allocate(capacity: segments.count)
    _ = copy.initialize(from: segments)
    view = .allocate(capacity: 1)
    view.initialize(
      to: View(
        segments: copy, start: segments.map(\.address).min() ?? 0,
        end: segments.map { $0.address &+ $0.memorySize }.max() ?? 0,
        header: elf.unwindHeader?.address.rawValue ?? 0,
        entryCount: elf.unwindHeader?.entryCount ?? 0,
        startupCode: Self.startupCode(of: elf)))
  }

  private static func startupCode(of elf: ElfImage) -> (Range<UInt64>, Range<UInt64>) {
    let ranges = elf.startupCode.prefix(2).map { $0.lowerBound.rawValue..<$0.upperBound.rawValue }
    return (ranges.first ?? 0..<0, ranges.count > 1 ? ranges[1] : 0..<0)
  }

  deinit {
    view.pointee.segments.deallocate()
    view.deallocate()
  }

  /// How to get from a frame at this file address to its caller; see ``ElfImage/unwindRow(at:)``.
  /// Asked for the last frame of every stack, and for those that libunwind cannot leave.
  func row(at address: UInt64) -> unwind_row {
    if let known = rows[address] { return known }
    let row = elf.unwindRow(at: FileAddress(address))
    rows[address] = row
    return row
  }

  /// The function at this file address has no caller.
  func isOutermost(_ address: UInt64) -> Bool {
    row(at: address).cfa == UNWIND_OUTERMOST.rawValue
  }
}

/// Opens each mapped file once, however many processes map it.
final class ImageCache {
  /// A file that was rewritten or whose inode was used again is another one.
  private struct Identity: Hashable {
    var device: UInt64
    var inode: UInt64
    var version: Syscalls.FileVersion?
  }
  private var images: [Identity: LoadedImage?] = [:]
  private lazy var vdso: LoadedImage? = Self.ownVDSO()

  /// The image behind a mapping of process `pid`, or nil when there is none that can be read.
  func image(for entry: MapsEntry, pid: Int32) -> LoadedImage? {
    if entry.path == "[vdso]" { return vdso }
    guard entry.isFile else { return nil }
    let version = Syscalls.version(of: entry.path, inode: entry.inode)
    let identity = Identity(device: entry.device, inode: entry.inode, version: version)
    if let known = images[identity] { return known }
    let image = open(entry, pid: pid)
    images[identity] = image
    return image
  }

  /// The same path may by now name another file: the one that was mapped is wanted. It is looked
  /// for where this process sees it, where the target sees it, and behind the mapping itself.
  private func open(_ entry: MapsEntry, pid: Int32) -> LoadedImage? {
    let range = String(entry.start, radix: 16) + "-" + String(entry.end, radix: 16)
    for path in [entry.path, "/proc/\(pid)/root" + entry.path] {
      if let image = load(Syscalls.openForReading(path), entry, kind: .file) { return image }
    }
    return load(Syscalls.openMapped(pid: pid, range: range), entry, kind: .deleted)
  }

  private func load(_ descriptor: Int32?, _ entry: MapsEntry, kind: Mapping.Kind) -> LoadedImage? {
    guard let descriptor else { return nil }
    defer { Syscalls.closeFile(descriptor) }
    // On some file systems (overlayfs, btrfs) the kernel's list names another device than stat.
    guard let identity = Syscalls.identity(of: descriptor), identity.inode == entry.inode,
      let file = try? MappedFile(descriptor: descriptor, path: entry.path),
      let elf = try? ElfImage(file)
    else { return nil }
    // The loader may have come by a link, where the kernel names the file itself.
    let path = kind == .file ? Syscalls.absolutePath(entry.path) ?? entry.path : entry.path
    return LoadedImage(elf: elf, path: path, kind: entry.isDeleted ? .deleted : kind)
  }

  /// The kernel maps the same code into every process, so the recorder's own copy serves.
  private static func ownVDSO() -> LoadedImage? {
    guard let maps = Syscalls.contents("/proc/self/maps"),
      let entry = parseMaps(maps).first(where: { $0.path == "[vdso]" }),
      let start = UnsafeRawPointer(bitPattern: UInt(entry.start)),
      let elf = try? ElfImage(
        memory: UnsafeRawBufferPointer(start: start, count: Int(entry.end - entry.start)),
        name: "[vdso]")
    else { return nil }
    return LoadedImage(elf: elf, path: "[vdso]", kind: .vdso)
  }
}
