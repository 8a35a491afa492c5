import Elf
import Glibc
import ProfileModel

/// Finds separate debug files, in the places and order that GDB and elfutils use.
struct DebugFiles {
  /// Such as `/usr/lib/debug`.
  let folders: [String]

  /// The debug file of a program or library: by build-id, else by the `.gnu_debuglink` of `image`
  /// beside it, in `.debug` beside it, and under the debug folders.
  func file(
    for path: String, image: ElfImage?, buildID: BuildID?, problems: inout [SymbolProblem]
  ) -> ElfImage? {
    if let id = buildID {
      for candidate in folders.compactMap({ Self.path(of: id, in: $0) }) {
        if let found = open(candidate, &problems) {
          if found.buildID == id { return found }
          problems.append(.foreignDebugFile(path: path, debugFile: candidate))
        }
      }
    }
    // A name with slashes would lead out of the folders meant to be searched.
    guard let image, let link = image.debugLink, !link.name.contains("/") else { return nil }
    for candidate in linked(link.name, from: path) {
      // A link can name the file itself, when it is stripped in place.
      guard let found = open(candidate, &problems),
        (found.file.device, found.file.inode) != (image.file.device, image.file.inode)
      else { continue }
      if Self.belongs(found, to: image, link) { return found }
      problems.append(.foreignDebugFile(path: path, debugFile: candidate))
    }
    return nil
  }

  /// The file of shared parts that `debug` refers to: where it says, else by build-id.
  func alternate(of debug: ElfImage, problems: inout [SymbolProblem]) -> ElfImage? {
    guard let link = debug.alternateLink else { return nil }
    let stated =
      link.path.hasPrefix("/") ? link.path : Self.folder(of: debug.file.path) + "/" + link.path
    for candidate in [stated] + folders.compactMap({ Self.path(of: link.buildID, in: $0) }) {
      if let found = open(candidate, &problems), found.buildID == link.buildID { return found }
    }
    problems.append(.missingAlternate(debugFile: debug.file.path, alternate: stated))
    return nil
  }

  /// Nil when there is no such file, which is the common case and no problem.
  private func open(_ path: String, _ problems: inout [SymbolProblem]) -> ElfImage? {
    do {
      return try ElfImage(MappedFile(path: path, access: .copyOnWrite))
    } catch ElfError.cannotOpen(_, ENOENT), ElfError.cannotOpen(_, ENOTDIR) {
      return nil
    } catch {
      problems.append(.unreadableDebugFile(path: path, error))
      return nil
    }
  }

  private func linked(_ name: String, from path: String) -> [String] {
    // Debian's debug folder knows /usr/lib only, and maps list libraries as /lib or /usr/lib.
    let real = realpath(path, nil).map { resolved in
      defer { free(resolved) }
      return String(cString: resolved)
    }
    var result: [String] = []
    for folder in [path, real].compactMap(\.self).map(Self.folder) {
      let places = [folder, folder + "/.debug"] + folders.map { $0 + folder }
      result += places.map { $0 + "/" + name }.filter { !result.contains($0) }
    }
    return result
  }

  private static func belongs(
    _ debug: ElfImage, to image: ElfImage, _ link: ElfImage.DebugLink
  ) -> Bool {
    if let expected = image.buildID, let found = debug.buildID { return expected == found }
    return Checksum.crc32(debug.file.bytes) == link.crc
  }

  /// `FOLDER/.build-id/ab/cdef….debug`
  private static func path(of id: BuildID, in folder: String) -> String? {
    guard id.bytes.count > 1 else { return nil }
    let hex = id.hex
    return "\(folder)/.build-id/\(hex.prefix(2))/\(hex.dropFirst(2)).debug"
  }

  private static func folder(of path: String) -> String {
    String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
  }
}
