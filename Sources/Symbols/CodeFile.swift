import Elf
import ProfileModel

/// Everything that is known about one mapped file: the file, its debug file, and their symbols.
struct CodeFile {
  let path: String
  /// Nil when the file is gone or is another one by now.
  private let image: ElfImage?
  private let debug: ElfImage?
  private let debugInfo: DebugInfo?

  /// Nil when neither the file nor a debug file is there.
  init?(
    path: String, image: ElfImage?, buildID: BuildID?, debugFiles: DebugFiles,
    problems: inout [SymbolProblem]
  ) {
    self.path = path
    self.image = image
    if let image, Self.hasDebugInfo(image) {
      debug = nil
    } else {
      debug = debugFiles.file(
        for: path, image: image, buildID: buildID ?? image?.buildID, problems: &problems)
    }
    guard let source = debug ?? image else { return nil }
    debugInfo =
      Self.hasDebugInfo(source)
      ? DebugInfo(source, alternate: debugFiles.alternate(of: source, problems: &problems)) : nil
  }

  private static func hasDebugInfo(_ image: ElfImage) -> Bool {
    image.hasSection(".debug_info") || image.hasSection(".zdebug_info")
  }

  /// The functions at each of the sorted `addresses`, innermost first; none where nothing is known.
  func resolve(_ addresses: [UInt64]) -> [[SourceFrame]] {
    let sources = debugInfo?.resolve(addresses)
    var names: [UInt64: String?] = [:]
    return addresses.indices.map { index in
      var source = sources?[index] ?? SourceLocation()
      if let outermost = source.frames.indices.last {
        let entry = source.frames[outermost].entry
        let name = entry.flatMap { entry in
          let name = names[entry] ?? self.name(ofFunctionAt: FileAddress(entry))
          names[entry] = .some(name)
          return name
        }
        if let name {
          source.frames[outermost].name = name
          source.frames[outermost].qualifiedName = nil
        }
        return source.frames
      }
      guard let name = name(at: FileAddress(addresses[index])) else { return [] }
      return [SourceFrame(name: name, file: source.file, line: source.line)]
    }
  }

  /// What the symbol table calls a function that the debug information knows.
  ///
  /// The C library's debug information says `__libc_malloc` where its symbol table, which is there
  /// without a debug file too, says `malloc`: a function must have one name on all machines. Names
  /// with a dot are those of clones, whose origin is the better name.
  private func name(ofFunctionAt entry: FileAddress) -> String? {
    for image in [image, debug] {
      if let symbol = image?.symbol(containing: entry), symbol.address == entry {
        return symbol.name.contains(".") ? nil : symbol.name
      }
    }
    return nil
  }

  /// The symbol, or for a function without one `FILE+0xSTART`, the same for all its addresses.
  private func name(at address: FileAddress) -> String? {
    let symbol =
      debug?.symbol(containing: address, unwinding: image) ?? image?.symbol(containing: address)
    if let symbol { return symbol.name }
    guard let start = image?.functionRange(containing: address)?.lowerBound else { return nil }
    return Profile.basename(path) + "+0x" + String(start.rawValue, radix: 16)
  }
}
