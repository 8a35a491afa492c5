/// One function of a stack, as people read it.
package struct Frame: Hashable, Sendable {
  package var name: String
  /// Path of the mapped file, `[vdso]`, `[anonymous]`; empty when unknown.
  package var module: String
  package var file: String?
  /// 0 when unknown.
  package var line: Int32
  /// The function was inlined into the frame that follows it.
  package var isInlined: Bool
}

extension Profile {
  /// The functions at a location, innermost first; at least one.
  ///
  /// Code without a symbol is named `module+0xADDRESS` (file address), code outside every mapping
  /// by its bare address: never by the nearest symbol.
  package func frames(of id: ID<Location>) -> [Frame] {
    let location = locations[id]
    let module = self.module(of: location.place)
    guard location.lines.isEmpty else {
      return location.lines.enumerated().map { depth, line in
        frame(line, module: module, isInlined: depth + 1 < location.lines.count)
      }
    }
    switch location.place {
    case .named(let function):
      return [frame(Line(function: function, line: 0), module: module, isInlined: false)]
    case .code(_, let address):
      return [bare(Self.basename(module) + "+0x" + String(address.rawValue, radix: 16), module)]
    case .unmapped(let address):
      return [bare("0x" + String(address.rawValue, radix: 16), module)]
    case .marker(let marker):
      return [bare(marker.label, module)]
    }
  }

  /// Locations from the leaf to the root.
  package func locations(of stack: ID<StackNode>?) -> [ID<Location>] {
    var result: [ID<Location>] = []
    var next = stack
    while let id = next {
      let node = stacks[id]
      result.append(node.location)
      next = node.parent
    }
    return result
  }

  private func module(of place: Location.Place) -> String {
    guard case .code(let mapping, _) = place else { return "" }
    return strings[mappings[mapping].path]
  }

  private func frame(_ line: Line, module: String, isInlined: Bool) -> Frame {
    let function = functions[line.function]
    return Frame(
      name: strings[function.name], module: module, file: function.file.map { strings[$0] },
      line: line.line, isInlined: isInlined)
  }

  private func bare(_ name: String, _ module: String) -> Frame {
    Frame(name: name, module: module, file: nil, line: 0, isInlined: false)
  }

  /// The part of a path after its last slash.
  package static func basename(_ path: String) -> String {
    String(path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...])
  }
}
