import CElfutils
import ProfileModel

/// The headers of an ELF file, read once through libelf.
struct ElfHeaders {
  let machine: UInt16
  let type: UInt16
  let isClass64: Bool
  let isLittleEndian: Bool
  private(set) var segments: [ElfImage.Segment] = []
  private(set) var sections: [ElfImage.Section] = []
  private(set) var interpreter: String?
  private(set) var needed: [String] = []
  private(set) var buildID: BuildID?
  private(set) var debugLink: ElfImage.DebugLink?
  private(set) var alternateLink: ElfImage.AlternateLink?
  /// Address and size of `PT_GNU_EH_FRAME`.
  private(set) var unwindHeader: (address: UInt64, size: UInt64)?

  init(_ file: MappedFile) throws(ElfError) {
    guard let elf = LibELF.open(file.bytes) else { throw .notELF(path: file.path) }
    defer { elf_end(elf) }
    var header = GElf_Ehdr()
    guard gelf_getehdr(elf, &header) != nil else {
      throw .truncated(path: file.path, offset: 0, what: "ELF header")
    }
    machine = header.e_machine
    type = header.e_type
    isClass64 = gelf_getclass(elf) == ELFCLASS64
    isLittleEndian = Int32(file.bytes[Int(EI_DATA)]) == ELFDATA2LSB

    let programs = try Self.programHeaders(elf, header, file)
    let fileSize = UInt64(file.bytes.count)
    segments = programs.filter { $0.p_type == UInt32(PT_LOAD) }.compactMap {
      ElfImage.Segment($0, fileSize: fileSize)
    }
    sections = Self.sectionHeaders(elf)
    for program in programs { read(program, elf, file.bytes) }
    if buildID == nil { buildID = Self.buildID(inSectionsOf: elf) }
    debugLink = readDebugLink(file.bytes)
    alternateLink = readAlternateLink(file.bytes)
  }

  private static func programHeaders(
    _ elf: OpaquePointer, _ header: GElf_Ehdr, _ file: MappedFile
  ) throws(ElfError) -> [GElf_Phdr] {
    var count = 0
    // libelf lowers the count to what fits. 0xffff (`PN_XNUM`) says that the count is elsewhere.
    guard elf_getphdrnum(elf, &count) == 0, header.e_phnum == .max || count >= header.e_phnum
    else {
      throw .truncated(path: file.path, offset: header.e_phoff, what: "program header table")
    }
    var result: [GElf_Phdr] = []
    for index in 0..<count {
      var program = GElf_Phdr()
      guard gelf_getphdr(elf, Int32(truncatingIfNeeded: index), &program) != nil else {
        throw .truncated(path: file.path, offset: header.e_phoff, what: "program header table")
      }
      result.append(program)
    }
    return result
  }

  private static func sectionHeaders(_ elf: OpaquePointer) -> [ElfImage.Section] {
    var names = 0
    guard elf_getshdrstrndx(elf, &names) == 0 else { return [] }
    return LibELF.sections(elf).map { section, header in
      ElfImage.Section(
        name: elf_strptr(elf, names, Int(header.sh_name)).map { String(cString: $0) } ?? "",
        isExecutable: header.sh_flags & UInt64(SHF_EXECINSTR) != 0,
        address: header.sh_addr, offset: header.sh_offset, size: header.sh_size,
        entrySize: header.sh_entsize,
        hasPlainBytes: header.sh_type != UInt32(SHT_NOBITS)
          && header.sh_flags & UInt64(SHF_COMPRESSED) == 0)
    }
  }

  private mutating func read(
    _ program: GElf_Phdr, _ elf: OpaquePointer, _ bytes: UnsafeRawBufferPointer
  ) {
    switch program.p_type {
    case UInt32(PT_INTERP):
      var text = bytes.slice(at: program.p_offset, count: program.p_filesz).map { ByteReader($0) }
      interpreter = text?.cString().map { String(decoding: $0, as: UTF8.self) }
    case UInt32(PT_DYNAMIC):
      readDynamic(program, elf, bytes)
    case UInt32(PT_NOTE) where buildID == nil:
      let type = program.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR
      let data = elf_getdata_rawchunk(
        elf, Int64(bitPattern: program.p_offset), Int(truncatingIfNeeded: program.p_filesz), type)
      buildID = data.flatMap { Self.buildID(in: $0) }
    case UInt32(PT_GNU_EH_FRAME):
      unwindHeader = (program.p_vaddr, program.p_filesz)
    default: break
    }
  }

  private mutating func readDynamic(
    _ program: GElf_Phdr, _ elf: OpaquePointer, _ bytes: UnsafeRawBufferPointer
  ) {
    guard bytes.slice(at: program.p_offset, count: program.p_filesz) != nil,
      let data = elf_getdata_rawchunk(
        elf, Int64(bitPattern: program.p_offset), Int(program.p_filesz), ELF_T_DYN)
    else { return }
    var names: [UInt64] = []
    var strings: UInt64?
    var entry = GElf_Dyn()
    for index in 0..<Int32.max {
      guard gelf_getdyn(data, index, &entry) != nil, entry.d_tag != Int64(DT_NULL) else { break }
      if entry.d_tag == Int64(DT_NEEDED) { names.append(entry.d_un.d_val) }
      if entry.d_tag == Int64(DT_STRTAB) { strings = entry.d_un.d_ptr }
    }
    guard let strings else { return }
    needed = names.compactMap { name in
      var text = segments.bytes(bytes, from: strings &+ name).map { ByteReader($0) }
      return text?.cString().map { String(decoding: $0, as: UTF8.self) }
    }
  }

  private func readDebugLink(_ bytes: UnsafeRawBufferPointer) -> ElfImage.DebugLink? {
    guard var reader = reader(of: ".gnu_debuglink", bytes),
      let name = reader.cString(), !name.isEmpty,
      reader.skip(UInt64(-reader.position & 3)), let crc = reader.read(UInt32.self)
    else { return nil }
    return ElfImage.DebugLink(name: String(decoding: name, as: UTF8.self), crc: crc)
  }

  private func readAlternateLink(_ bytes: UnsafeRawBufferPointer) -> ElfImage.AlternateLink? {
    guard var reader = reader(of: ".gnu_debugaltlink", bytes),
      let path = reader.cString(), !path.isEmpty, (1...64).contains(reader.remaining),
      let id = reader.slice(UInt64(reader.remaining))
    else { return nil }
    return ElfImage.AlternateLink(
      path: String(decoding: path, as: UTF8.self), buildID: BuildID(Array(id.bytes)))
  }

  private func reader(of name: String, _ bytes: UnsafeRawBufferPointer) -> ByteReader? {
    guard let section = sections.first(where: { $0.name == name }), section.hasPlainBytes
    else { return nil }
    return bytes.slice(at: section.offset, count: section.size).map { ByteReader($0) }
  }
}

// MARK: - Build-id

extension ElfHeaders {
  /// Separate debug files keep their notes in sections only.
  private static func buildID(inSectionsOf elf: OpaquePointer) -> BuildID? {
    for (section, header) in LibELF.sections(elf) where header.sh_type == UInt32(SHT_NOTE) {
      if let data = elf_getdata(section, nil), let id = buildID(in: data) { return id }
    }
    return nil
  }

  private static func buildID(in data: UnsafeMutablePointer<Elf_Data>) -> BuildID? {
    guard let base = data.pointee.d_buf else { return nil }
    let content = UnsafeRawBufferPointer(start: base, count: data.pointee.d_size)
    var header = GElf_Nhdr()
    var name = 0
    var description = 0
    var next = 0
    while true {
      next = gelf_getnote(data, next, &header, &name, &description)
      guard next > 0 else { return nil }
      guard header.n_type == UInt32(NT_GNU_BUILD_ID), header.n_namesz == 4,
        let owner = content.slice(at: UInt64(name), count: 4), owner.elementsEqual("GNU\0".utf8),
        // Linkers write 8 to 32 bytes, and let people choose them.
        (1...64).contains(header.n_descsz),
        let id = content.slice(at: UInt64(description), count: UInt64(header.n_descsz))
      else { continue }
      return BuildID(Array(id))
    }
  }
}

extension ElfImage.Segment {
  /// Nil when the segment begins outside the file.
  fileprivate init?(_ program: GElf_Phdr, fileSize: UInt64) {
    guard program.p_offset <= fileSize else { return nil }
    address = FileAddress(program.p_vaddr)
    // The end of a segment must be an address too.
    memorySize = min(program.p_memsz, UInt64.max - program.p_vaddr)
    offset = FileOffset(program.p_offset)
    self.fileSize = min(program.p_filesz, fileSize - program.p_offset, memorySize)
    isExecutable = program.p_flags & UInt32(PF_X) != 0
    isWritable = program.p_flags & UInt32(PF_W) != 0
  }
}
