import CElfutils
package import ProfileModel
import Synchronization

/// A named piece of code.
package struct ElfSymbol: Hashable, Sendable {
  package enum Binding: UInt8, Sendable, Comparable {
    case local, weak, global
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }
  /// As the file has it, without a version suffix such as `@GLIBC_2.2.5`. Entries of the
  /// procedure linkage table are called `name@plt`.
  package let name: String
  package let address: FileAddress
  /// Bytes; 0 when the file does not say, as is common for assembly.
  package let size: UInt64
  /// `STT_FUNC` or `STT_GNU_IFUNC`.
  package let isFunction: Bool
  package let binding: Binding
}

/// The symbols of `.symtab` and `.dynsym` that name code, one for an address.
struct SymbolTable {
  struct Row {
    var address: UInt64
    var size: UInt64
    /// Where the code can end: the stated size, or for size 0 the next symbol or section end.
    var end: UInt64
    /// Index of the row around this one; nil at top level.
    var outer: Int32?
    /// Position of the name in the file.
    var name: UInt64
    var binding: ElfSymbol.Binding
    var isFunction: Bool
    var isLinkage = false
  }

  private(set) var rows: [Row]
  private nonisolated(unsafe) let file: UnsafeRawBufferPointer

  init(_ image: ElfImage) {
    file = image.file.bytes
    rows = []
    guard let elf = LibELF.open(file) else { return }
    defer { elf_end(elf) }
    let code = image.sections.filter(\.isExecutable).sorted { $0.address < $1.address }
    var found: [Row] = []
    for (section, header) in LibELF.sections(elf)
    where header.sh_type == UInt32(SHT_SYMTAB) || header.sh_type == UInt32(SHT_DYNSYM) {
      appendRows(of: section, header, elf, code, to: &found)
    }
    found += image.linkageRows(elf)
    rows = settled(found)
  }

  func symbol(_ row: Row) -> ElfSymbol {
    var name = text(row)
    if let version = name.dropFirst().firstIndex(of: "@") { name = String(name[..<version]) }
    return ElfSymbol(
      name: row.isLinkage ? name + "@plt" : name, address: FileAddress(row.address),
      size: row.size, isFunction: row.isFunction, binding: row.binding)
  }

  /// The innermost row with a size around `address`, or else the row without a size before it.
  func row(containing address: UInt64) -> Row? {
    let nearest = rows.partitioningIndex { $0.address > address } - 1
    guard nearest >= 0 else { return nil }
    var index: Int32? = Int32(nearest)
    while let current = index {
      let row = rows[Int(current)]
      if row.size > 0, address < row.end { return row }
      index = row.outer
    }
    let row = rows[nearest]
    return row.size == 0 && address < row.end ? row : nil
  }
}

// MARK: - Reading

extension SymbolTable {
  private func appendRows(
    of section: OpaquePointer, _ header: GElf_Shdr, _ elf: OpaquePointer,
    _ code: [ElfImage.Section], to rows: inout [Row]
  ) {
    guard let data = elf_getdata(section, nil), header.sh_entsize > 0 else { return }
    let count = UInt64(data.pointee.d_size) / header.sh_entsize
    var symbol = GElf_Sym()
    for index in 0..<Int32(clamping: count) {
      guard gelf_getsym(data, index, &symbol) != nil else { return }
      let type = Int32(symbol.st_info & 0xf)
      let isFunction = type == STT_FUNC || type == STT_GNU_IFUNC
      guard isFunction || type == STT_NOTYPE, symbol.st_shndx != UInt16(SHN_UNDEF),
        let home = code[..<code.partitioningIndex { $0.address > symbol.st_value }].last,
        symbol.st_value - home.address < home.size,
        let name = filePosition(elf_strptr(elf, Int(header.sh_link), Int(symbol.st_name)))
      else { continue }
      let room = home.size - (symbol.st_value - home.address)
      let size = min(symbol.st_size, room)
      rows.append(
        Row(
          address: symbol.st_value, size: size,
          end: symbol.st_value &+ (size > 0 ? size : room), name: name,
          binding: ElfSymbol.Binding(symbol.st_info >> 4), isFunction: isFunction))
    }
  }

  /// Names are kept as positions in the file. Nil for no name, and for one that libelf had to
  /// decompress elsewhere.
  private func filePosition(_ name: UnsafeMutablePointer<CChar>?) -> UInt64? {
    guard let name, name.pointee != 0, let base = file.baseAddress else { return nil }
    let position = UnsafeRawPointer(name) - base
    return file.indices.contains(position) ? UInt64(position) : nil
  }

  private func text(_ row: Row) -> String {
    var reader = ByteReader(file)
    guard reader.skip(row.name), let name = reader.cString() else { return "" }
    return String(decoding: name, as: UTF8.self)
  }

  /// Sorted by address, the best row of each address, with ends and nesting.
  private func settled(_ found: [Row]) -> [Row] {
    var result: [Row] = []
    result.reserveCapacity(found.count)
    for row in found.sorted(by: precedes) where row.address != result.last?.address {
      result.append(row)
    }
    var open: [Int32] = []
    for index in result.indices {
      let address = result[index].address
      while let last = open.last, result[Int(last)].end <= address { open.removeLast() }
      result[index].outer = open.last
      if result[index].size > 0 {
        open.append(Int32(index))
      } else if index + 1 < result.count {
        result[index].end = min(result[index].end, result[index + 1].address)
      }
    }
    return result
  }

  /// Of several names of an address: one with a size, of a function, global over weak over local,
  /// the shortest, the first in byte order.
  private func precedes(_ a: Row, _ b: Row) -> Bool {
    if a.address != b.address { return a.address < b.address }
    if (a.size > 0) != (b.size > 0) { return a.size > 0 }
    if a.isFunction != b.isFunction { return a.isFunction }
    if a.binding != b.binding { return a.binding > b.binding }
    if a.name == b.name { return false }
    let (first, second) = (text(a), text(b))
    if first.utf8.count != second.utf8.count { return first.utf8.count < second.utf8.count }
    return first < second
  }
}

extension ElfSymbol.Binding {
  /// `STB_*`; `STB_GNU_UNIQUE` is global for our purpose.
  fileprivate init(_ value: UInt8) {
    switch Int32(value) {
    case STB_LOCAL: self = .local
    case STB_WEAK: self = .weak
    default: self = .global
    }
  }
}

// MARK: - Questions

extension ElfImage {
  /// All symbols that name code, by address, one for each; read at the first use.
  package var symbols: [ElfSymbol] {
    withSymbolTable { table in table.rows.map(table.symbol) }
  }

  /// The symbol whose code contains `address`.
  ///
  /// A symbol without size counts up to the next symbol, but only where the unwind table, if it
  /// knows the address or the symbol, puts both into one function. `unwinding` is the image with
  /// that table, when this one is a separate debug file, which has none.
  package func symbol(
    containing address: FileAddress, unwinding: ElfImage? = nil
  ) -> ElfSymbol? {
    let unwinding = unwinding ?? self
    return withSymbolTable { table in
      guard let row = table.row(containing: address.rawValue) else { return nil }
      if row.size == 0 {
        let start = FileAddress(row.address)
        let range = unwinding.functionRange(containing: address)
        guard range == unwinding.functionRange(containing: start) else { return nil }
      }
      return table.symbol(row)
    }
  }

  private func withSymbolTable<R: Sendable>(_ body: (SymbolTable) -> R) -> R {
    symbolTable.withLock { table in
      let read = table ?? SymbolTable(self)
      table = read
      return body(read)
    }
  }
}
