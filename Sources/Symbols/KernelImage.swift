import Elf
import Glibc

/// The vDSO: code that the kernel maps into every process. A recording made on another kernel is
/// told by its build-id.
enum KernelImage {
  /// The vDSO of this process; nil when the kernel maps none.
  static func load() -> ElfImage? {
    guard let range = mapping(), let start = UnsafeRawPointer(bitPattern: range.lowerBound) else {
      return nil
    }
    let memory = UnsafeRawBufferPointer(start: start, count: range.count)
    return try? ElfImage(memory: memory, name: "[vdso]")
  }

  /// Addresses of the line of `/proc/self/maps` that ends in `[vdso]`.
  private static func mapping() -> Range<UInt>? {
    guard let file = fopen("/proc/self/maps", "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 8192)
    while fgets(&line, Int32(line.count), file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      guard text.hasSuffix("[vdso]\n") else { continue }
      let bounds = text.prefix { $0 != " " }.split(separator: "-").compactMap {
        UInt($0, radix: 16)
      }
      guard bounds.count == 2, bounds[0] < bounds[1] else { return nil }
      return bounds[0]..<bounds[1]
    }
    return nil
  }
}
