package import ProfileModel
import Elf

/// Fills in the functions, files and lines of a profile's addresses.
///
/// Each file is read once, for all its addresses in order. The source of a name is, in this order,
/// the debug information of the file or of its separate debug file (with inlined functions), their
/// symbol tables, and the unwind table, which knows where a stripped function starts.
package struct Symbolizer {
  private let debugFiles: DebugFiles

  /// `debugFolders` are searched for separate debug files, as `debug-file-directory` of GDB.
  package init(debugFolders: [String] = ["/usr/lib/debug"]) {
    debugFiles = DebugFiles(folders: debugFolders)
  }

  /// Sets ``Location/lines`` of every location in a mapping that has none yet, and returns what
  /// stood in the way, sorted by its text.
  @discardableResult
  package func symbolize(_ profile: inout Profile) -> [SymbolProblem] {
    var problems: [SymbolProblem] = []
    var names = FunctionNames()
    for (file, locations) in Self.locationsByFile(profile) {
      guard let code = open(file, profile.strings[file.path], &problems) else { continue }
      let addresses = Set(locations.map(\.address)).sorted()
      let frames = Dictionary(
        zip(addresses, code.resolve(addresses)), uniquingKeysWith: { first, _ in first })
      for location in locations {
        let lines = (frames[location.address] ?? []).map { names.line($0, &profile) }
        profile.locations.setLines(lines, of: location.id)
      }
    }
    return Set(problems).sorted { $0.description < $1.description }
  }

  // MARK: - Files

  /// What identifies a file: mappings of its segments differ in nothing else that matters here.
  private struct FileKey: Hashable {
    let kind: Mapping.Kind
    let path: ID<String>
    let buildID: BuildID?
  }

  private static func locationsByFile(
    _ profile: Profile
  ) -> [(FileKey, [(id: ID<Location>, address: UInt64)])] {
    var result: [FileKey: [(id: ID<Location>, address: UInt64)]] = [:]
    for id in profile.locations.ids {
      let location = profile.locations[id]
      guard location.lines.isEmpty, case .code(let mapping, let address) = location.place else {
        continue
      }
      let file = profile.mappings[mapping]
      let key = FileKey(kind: file.kind, path: file.path, buildID: file.buildID)
      result[key, default: []].append((id, address.rawValue))
    }
    // Rows are added to the profile in this order, so that it must be the same every time.
    return result.sorted { ($0.value.first?.id ?? ID(0)) < ($1.value.first?.id ?? ID(0)) }
  }

  /// Nil where no name can be known: no file, or another one than was mapped, and no debug file.
  private func open(
    _ key: FileKey, _ path: String, _ problems: inout [SymbolProblem]
  ) -> CodeFile? {
    guard key.kind != .anonymous else { return nil }
    var image: ElfImage?
    var failure: SymbolProblem?
    do throws(SymbolProblem) {
      image = try self.image(key, path)
    } catch {
      failure = error
    }
    let code = CodeFile(
      path: path, image: image, buildID: key.buildID, debugFiles: debugFiles, problems: &problems)
    // A debug file of the right build-id can stand in for a file that is gone.
    if code == nil, let failure { problems.append(failure) }
    return code
  }

  /// The file that was mapped; nil for the vDSO of a kernel that has none.
  private func image(_ key: FileKey, _ path: String) throws(SymbolProblem) -> ElfImage? {
    var image: ElfImage?
    if key.kind == .vdso {
      image = KernelImage.load()
    } else {
      // A deleted file can have been replaced by an equal one; only the build-id tells.
      guard key.kind == .file || key.buildID != nil else { throw .deleted(path: path) }
      do {
        image = try ElfImage(MappedFile(path: path, access: .copyOnWrite))
      } catch {
        throw .unreadable(path: path, error)
      }
    }
    if let recorded = key.buildID, let image, image.buildID != recorded {
      throw .replaced(path: path, recorded: recorded, found: image.buildID)
    }
    return image
  }
}

/// Interns frames as functions of a profile; each name is demangled once.
private struct FunctionNames {
  private var demangler = Demangler()
  private var readable: [String: String] = [:]

  mutating func line(_ frame: SourceFrame, _ profile: inout Profile) -> Line {
    let name = frame.qualifiedName ?? readable[frame.name] ?? demangler.demangle(frame.name)
    if frame.qualifiedName == nil { readable[frame.name] = name }
    let function = Function(
      name: profile.strings.intern(name), systemName: profile.strings.intern(frame.name),
      file: frame.file.map { profile.strings.intern($0) }, startLine: frame.startLine)
    return Line(function: profile.functions.intern(function), line: frame.line)
  }
}
