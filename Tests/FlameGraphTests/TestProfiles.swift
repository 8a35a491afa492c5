import ProfileModel
import TestSupport

extension ProfileBuilder {
  /// Adds one sample of code with modules, root first; `module` of a frame may be empty.
  mutating func addCode(
    _ frames: [(module: String, name: String, file: String?, line: Int32)], weight: Int64,
    thread: ID<ThreadInfo>? = nil
  ) {
    var stack: ID<StackNode>?
    for (module, name, file, line) in frames {
      let mapping = profile.mappings.intern(
        Mapping(
          kind: .file, path: profile.strings.intern(module), buildID: nil,
          start: FileAddress(0), end: FileAddress(1 << 32), offset: FileOffset(0)))
      let id = profile.strings.intern(name)
      let function = profile.functions.intern(
        Function(name: id, systemName: id, file: file.map { profile.strings.intern($0) }))
      // One address for each function and line.
      let address = UInt64(function.rawValue) << 12 | UInt64(UInt32(bitPattern: line) & 0xfff)
      let location = profile.locations.intern(.code(mapping, FileAddress(address)))
      profile.locations.setLines([Line(function: function, line: line)], of: location)
      stack = profile.stacks.intern(StackNode(parent: stack, location: location))
    }
    profile.samples.append(
      Sample(time: Nanoseconds(0), thread: thread, stack: stack, weight: weight))
  }

  /// A sample whose stack begins with a marker.
  mutating func add(_ marker: FrameMarker, then names: [String], weight: Int64) {
    let location = profile.locations.intern(.marker(marker))
    var stack = profile.stacks.intern(StackNode(parent: nil, location: location))
    for name in names {
      let id = profile.strings.intern(name)
      let function = profile.functions.intern(Function(name: id, systemName: id, file: nil))
      stack = profile.stacks.intern(
        StackNode(parent: stack, location: profile.locations.intern(.named(function))))
    }
    profile.samples.append(
      Sample(time: Nanoseconds(0), thread: nil, stack: stack, weight: weight))
  }
}

/// Stacks written as folded text, root first: `a;b 3`.
func profile(_ folded: String...) -> Profile {
  var builder = ProfileBuilder()
  for line in folded {
    let parts = line.split(separator: " ")
    builder.add(parts[0].split(separator: ";").map(String.init), weight: Int64(parts[1]) ?? 0)
  }
  return builder.profile
}

/// A random walk over few functions, so that stacks share callers and functions recur.
func randomProfile(stacks: Int, functions: Int, depth: Int, seed: UInt64) -> Profile {
  var random = RepeatableRandom(seed: seed)
  var builder = ProfileBuilder()
  for _ in 0..<stacks {
    let names = (0..<Int.random(in: 1...depth, using: &random)).map { _ in
      "f\(Int.random(in: 0..<functions, using: &random))"
    }
    builder.add(names, weight: Int64.random(in: 1...1000, using: &random))
  }
  return builder.profile
}
