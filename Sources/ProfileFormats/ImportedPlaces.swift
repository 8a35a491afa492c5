import ProfileModel

/// What the path of a mapping says about it, as the kernel and the profilers write it.
func kind(ofPath path: String) -> Mapping.Kind {
  if path == "[vdso]" { return .vdso }
  if path.isEmpty || path.hasPrefix("//anon") || path.hasPrefix("[anon") { return .anonymous }
  return path.hasSuffix(" (deleted)") ? .deleted : .file
}

extension Profile {
  /// The locations, outermost first, for a place in another tool's profile: usually one.
  ///
  /// A place without an address, or one that is known already with other functions, is entered by
  /// its functions' names instead, one location for each; markers are recognised by their names.
  mutating func internLocation(mapping: ID<Mapping>?, address: UInt64, lines: [Line])
    -> [ID<Location>]
  {
    guard address != 0 || lines.isEmpty else { return lines.reversed().map { internName($0) } }
    let place: Location.Place =
      mapping.map { .code($0, FileAddress(address)) } ?? .unmapped(RuntimeAddress(address))
    let before = locations.count
    let id = locations.intern(place)
    if locations.count > before {
      locations.setLines(lines, of: id)
    } else if locations[id].lines != lines {
      return lines.reversed().map { internName($0) }
    }
    return [id]
  }

  private mutating func internName(_ line: Line) -> ID<Location> {
    let name = strings[functions[line.function].name]
    return locations.intern(FrameMarker(label: name).map { .marker($0) } ?? .named(line.function))
  }
}
