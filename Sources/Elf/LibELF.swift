import CElfutils

/// The few calls of libelf that need care. It locks nothing: a handle belongs to one thread.
package enum LibELF {
  /// Opens bytes that outlive the handle; nil when they are no ELF file (archives are not). The
  /// caller ends the handle with `elf_end`.
  package static func open(_ bytes: UnsafeRawBufferPointer) -> OpaquePointer? {
    // Once per process would do; it only compares a number and sets a flag.
    guard elf_version(UInt32(EV_CURRENT)) != EV_NONE, let base = bytes.baseAddress else {
      return nil
    }
    // libelf takes a mutable pointer and writes only to handles opened for writing.
    let image = UnsafeMutablePointer(mutating: base.assumingMemoryBound(to: CChar.self))
    guard let elf = elf_memory(image, bytes.count) else { return nil }
    guard elf_kind(elf) == ELF_K_ELF else {
      elf_end(elf)
      return nil
    }
    return elf
  }

  /// All sections whose header can be read, but the empty first.
  static func sections(_ elf: OpaquePointer) -> [(section: OpaquePointer, header: GElf_Shdr)] {
    var result: [(OpaquePointer, GElf_Shdr)] = []
    var next = elf_nextscn(elf, nil)
    while let section = next {
      var header = GElf_Shdr()
      if gelf_getshdr(section, &header) != nil { result.append((section, header)) }
      next = elf_nextscn(elf, section)
    }
    return result
  }
}
