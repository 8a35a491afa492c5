import CElfutils
import Glibc

/// One compilation unit: its functions, what was inlined into them, and its line table.
struct CompilationUnit {
  /// The unit in the file itself: ranges and line table.
  let skeleton: Dwarf_Die
  /// Functions; another entry than `skeleton` when they lie in a `.dwo` file.
  let content: Dwarf_Die

  /// What is known about each of the sorted `addresses`.
  func resolve(_ addresses: [UInt64]) -> [SourceLocation] {
    let scopes = ScopeTree(content, addresses)
    let folder = self.folder
    var files = SourceFiles(content, folder: folder)
    var names: [Dwarf_Off: Declaration] = [:]
    return addresses.indices.map { index in
      var location = line(at: addresses[index], folder)
      var (file, line) = (location.file, location.line)
      for scope in scopes.chain(at: index) {
        var die = scope.die
        let key = dwarf_dieoffset(&die)
        let declaration = names[key] ?? Declaration(&die, &files, scopes)
        names[key] = declaration
        if let declaration {
          var frame = declaration.frame(file, line)
          frame.entry = scope.parent == nil ? die.entry : nil
          location.frames.append(frame)
        }
        // The next frame is the one this was inlined into, at the place of the call.
        (file, line) = (scope.callFile.flatMap { files[$0] }, scope.callLine)
      }
      return location
    }
  }

  /// Where the compiler ran; names of files can be relative to it.
  private var folder: String? {
    var unit = skeleton
    return unit.string(DW_AT_comp_dir)
  }

  private func line(at address: UInt64, _ folder: String?) -> SourceLocation {
    var unit = skeleton
    guard let row = dwarf_getsrc_die(&unit, address) else { return SourceLocation() }
    var number: Int32 = 0
    dwarf_lineno(row, &number)
    let file = dwarf_linesrc(row, nil, nil).map { String(cString: $0).inFolder(folder) }
    return SourceLocation(file: file, line: max(number, 0))
  }
}

/// The file table of a unit.
struct SourceFiles {
  private var files: OpaquePointer?
  private var count = 0
  private var names: [Int: String] = [:]
  private let folder: String?

  init(_ unit: Dwarf_Die, folder: String?) {
    self.folder = folder
    var unit = unit
    if dwarf_getsrcfiles(&unit, &files, &count) != 0 { files = nil }
  }

  subscript(index: Int) -> String? {
    mutating get {
      if let known = names[index] { return known }
      guard let files, index < count, let name = dwarf_filesrc(files, index, nil, nil),
        // What libdw puts at index 0, where DWARF before version 5 has no file.
        strcmp(name, "???") != 0
      else { return nil }
      names[index] = String(cString: name).inFolder(folder)
      return names[index]
    }
  }
}

/// Name and place of a function, from its own entry and those it completes.
private struct Declaration {
  let name: String
  let qualifiedName: String?
  let file: String?
  let line: Int32

  /// Nil for an entry without a name.
  init?(_ die: inout Dwarf_Die, _ files: inout SourceFiles, _ scopes: ScopeTree) {
    let linkageName = die.string(DW_AT_linkage_name) ?? die.string(DW_AT_MIPS_linkage_name)
    guard let name = linkageName ?? die.string(DW_AT_name) else { return nil }
    self.name = name
    // Functions of one unit can lack a linkage name; then the name is put together.
    qualifiedName =
      linkageName == nil
      ? (scopes.context(of: die).map { $0.contextName(of: name) } + [name])
        .joined(separator: "::") : nil
    file = die.number(DW_AT_decl_file).flatMap { files[Int(clamping: $0)] }
    line = die.number(DW_AT_decl_line).map { Int32(clamping: $0) } ?? 0
  }

  /// The line counts in `file`; without it only the declaration is known.
  func frame(_ file: String?, _ line: Int32) -> SourceFrame {
    SourceFrame(
      name: name, qualifiedName: qualifiedName, file: file ?? self.file,
      line: file == nil ? 0 : line,
      startLine: file == nil || file == self.file ? self.line : 0)
  }
}

extension String {
  fileprivate func inFolder(_ folder: String?) -> String {
    // What the Swift compiler gives as the file of code that nobody wrote.
    let generated = "<compiler-generated>"
    if hasSuffix(generated) { return generated }
    guard let folder, !hasPrefix("/") else { return self }
    return folder + "/" + self
  }
}

extension Dwarf_Die {
  /// A text attribute of this entry or of those it refers to as its origin or specification.
  fileprivate mutating func string(_ name: Int) -> String? {
    var attribute = Dwarf_Attribute()
    guard dwarf_attr_integrate(&self, UInt32(name), &attribute) != nil,
      let text = dwarf_formstring(&attribute), text.pointee != 0
    else { return nil }
    return String(cString: text)
  }

  /// The entry that declares this function: the end of its origins and specifications.
  var declaration: Dwarf_Die {
    var result = self
    // As many steps as libdw takes for an attribute.
    for _ in 0..<16 {
      var attribute = Dwarf_Attribute()
      var next = Dwarf_Die()
      guard
        dwarf_attr(&result, UInt32(DW_AT_abstract_origin), &attribute) != nil
          || dwarf_attr(&result, UInt32(DW_AT_specification), &attribute) != nil,
        dwarf_formref_die(&attribute, &next) != nil
      else { break }
      result = next
    }
    return result
  }

  /// Where this function's code begins: compilers list its main part first.
  fileprivate var entry: UInt64? {
    var die = self
    var ranges = AddressRanges(&die)
    return ranges.next()?.lowerBound
  }

  /// This namespace, type or function as a part of the qualified name of `function`.
  fileprivate func contextName(of function: String) -> String {
    var die = self
    if let name = die.string(DW_AT_name) { return name }
    if dwarf_tag(&die) == DW_TAG_namespace { return "(anonymous namespace)" }
    return function == "operator()" ? "{lambda}" : "{unnamed}"
  }

  fileprivate mutating func number(_ name: Int) -> UInt64? {
    var attribute = Dwarf_Attribute()
    var value: Dwarf_Word = 0
    guard dwarf_attr_integrate(&self, UInt32(name), &attribute) != nil,
      dwarf_formudata(&attribute, &value) == 0
    else { return nil }
    return value
  }
}
