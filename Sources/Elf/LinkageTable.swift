import CElfutils

/// Names for the stubs of the procedure linkage table, which have no symbols of their own.
extension ElfImage {
  /// A stub jumps through a slot of the global offset table, and the slot's relocation names the
  /// function. That holds for `.plt`, `.plt.sec` and `.plt.got`, whichever linker wrote them.
  func linkageRows(_ elf: OpaquePointer) -> [SymbolTable.Row] {
    guard machine == UInt16(EM_X86_64) else { return [] }
    let names = slotNames(elf)
    guard !names.isEmpty else { return [] }
    return [".plt", ".plt.sec", ".plt.got"].flatMap { stubs(in: $0, names) }
  }

  private func stubs(in name: String, _ names: [UInt64: UInt64]) -> [SymbolTable.Row] {
    guard let section = section(name), [8, 16].contains(section.entrySize),
      let content = bytes(of: section)
    else { return [] }
    return stride(from: 0, to: section.size, by: Int(section.entrySize)).compactMap { offset in
      guard let stub = content.slice(at: offset, count: section.entrySize),
        let slot = Self.jumpSlot(stub, at: section.address &+ offset), let name = names[slot]
      else { return nil }
      let start = section.address &+ offset
      return SymbolTable.Row(
        address: start, size: section.entrySize, end: start &+ section.entrySize, name: name,
        binding: .local, isFunction: true, isLinkage: true)
    }
  }

  /// The address in `jmp *distance(%rip)` (ff 25), wherever in the stub it stands: `endbr64` and
  /// a `bnd` prefix come before it.
  private static func jumpSlot(_ stub: UnsafeRawBufferPointer, at address: UInt64) -> UInt64? {
    for index in 0..<max(stub.count - 5, 0) where stub[index] == 0xff && stub[index + 1] == 0x25 {
      let distance = Int32(
        littleEndian: stub.loadUnaligned(fromByteOffset: index + 2, as: Int32.self))
      return address &+ UInt64(index + 6) &+ UInt64(bitPattern: Int64(distance))
    }
    return nil
  }

  /// Position of the symbol's name in the file for each slot that is filled by symbol.
  private func slotNames(_ elf: OpaquePointer) -> [UInt64: UInt64] {
    var result: [UInt64: UInt64] = [:]
    for (section, header) in LibELF.sections(elf) where header.sh_type == UInt32(SHT_RELA) {
      var tableHeader = GElf_Shdr()
      guard let table = elf_getscn(elf, Int(header.sh_link)),
        gelf_getshdr(table, &tableHeader) != nil, tableHeader.sh_type == UInt32(SHT_DYNSYM),
        let symbols = elf_getdata(table, nil), let relocations = elf_getdata(section, nil)
      else { continue }
      var relocation = GElf_Rela()
      var symbol = GElf_Sym()
      for index in 0..<Int32.max {
        guard gelf_getrela(relocations, index, &relocation) != nil else { break }
        let type = Int32(truncatingIfNeeded: relocation.r_info & 0xffff_ffff)
        guard type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT,
          gelf_getsym(symbols, Int32(clamping: relocation.r_info >> 32), &symbol) != nil,
          let name = elf_strptr(elf, Int(tableHeader.sh_link), Int(symbol.st_name)),
          name.pointee != 0, let base = file.bytes.baseAddress
        else { continue }
        let position = UnsafeRawPointer(name) - base
        if file.bytes.indices.contains(position) { result[relocation.r_offset] = UInt64(position) }
      }
    }
    return result
  }
}
