package import ProfileModel

extension FlameTree {
  /// The frames between the root and the stacks.
  package enum Grouping: Sendable {
    case none
    /// By process name: `sh`, `cc1`, `as`.
    case process
    /// By process name, then by thread name.
    case thread
  }

  /// The stacks of `profile`; by process when it has several, unless `grouping` says otherwise.
  package init(_ profile: Profile, grouping: Grouping? = nil) {
    var builder = FlameTreeBuilder()
    builder.add(profile, grouping: grouping ?? .automatic(for: [profile]))
    self = builder.finish()
  }
}

extension FlameTree.Grouping {
  static func automatic(for profiles: [Profile]) -> Self {
    profiles.contains { $0.processes.count > 1 } ? .process : .none
  }
}

/// Grows a ``FlameTree`` from the samples of one or more profiles.
struct FlameTreeBuilder {
  private struct FrameKey: Hashable {
    var kind: FlameFrame.Kind
    var name: String
    /// Without its folder: the same library may lie elsewhere in the other profile of a diff.
    var module: String
  }

  private var tree = FlameTree(
    frames: [FlameFrame(kind: .all, name: "all")],
    nodes: [FlameTree.Node(frame: 0, parent: -1, line: 0)])
  private var frameIDs: [FrameKey: Int32] = [:]
  /// Node by its parent (upper half) and its frame (lower half).
  private var nodeIDs: [UInt64: Int32] = [:]
  /// The largest sum of weights that all later arithmetic can hold, and what is left of it.
  private static let largestTotal = Int64.max / 1024
  private var headroom = Self.largestTotal

  /// Adds the samples of `profile`. Weights that are not positive have no place in a picture of
  /// shares and are left out.
  mutating func add(_ profile: Profile, grouping: FlameTree.Grouping) {
    var frames = [[FrameAtLine]?](repeating: nil, count: profile.locations.count)
    for (root, samples) in groups(of: profile, by: grouping) {
      var known = [Int32](repeating: -1, count: profile.stacks.count)
      for sample in samples {
        let node = node(
          of: sample.stack, in: profile, above: root, frames: &frames, known: &known)
        let weight = min(sample.weight, headroom)
        headroom -= weight
        tree.nodes[Int(node)].own += weight
      }
    }
  }

  /// The weights added so far, node by node; they start again from zero.
  mutating func takeWeights() -> [Int64] {
    let weights = tree.nodes.map(\.own)
    for index in tree.nodes.indices { tree.nodes[index].own = 0 }
    headroom = Self.largestTotal
    return weights
  }

  /// The tree with its totals and its children in order.
  consuming func finish() -> FlameTree {
    let totals = tree.accumulate(tree.nodes.map(\.own))
    for index in tree.nodes.indices { tree.nodes[index].total = totals[index] }
    tree.linkChildren()
    return tree
  }

  // MARK: - Groups

  /// The samples by the node that their stacks stand on, in order of first arrival.
  private mutating func groups(of profile: Profile, by grouping: FlameTree.Grouping)
    -> [(root: Int32, samples: [Sample])]
  {
    var roots: [Owner: Int32] = [:]
    var places: [Int32: Int] = [:]
    var groups: [(root: Int32, samples: [Sample])] = []
    for sample in profile.samples where sample.weight > 0 {
      let owner = Owner(thread: sample.thread, process: profile.process(of: sample))
      let root = roots[owner] ?? root(of: owner, in: profile, by: grouping)
      roots[owner] = root
      if places[root] == nil {
        places[root] = groups.count
        groups.append((root, []))
      }
      groups[places[root, default: 0]].samples.append(sample)
    }
    return groups
  }

  private struct Owner: Hashable {
    var thread: ID<ThreadInfo>?
    var process: ID<ProcessImage>?
  }

  private mutating func root(
    of owner: Owner, in profile: Profile, by grouping: FlameTree.Grouping
  ) -> Int32 {
    guard grouping != .none, let image = owner.process else { return 0 }
    let process = FlameFrame(
      kind: .process, name: profile.strings[profile.processes[image].name])
    let node = child(of: 0, FrameAtLine(frame: intern(process), line: 0))
    guard grouping == .thread, let thread = owner.thread else { return node }
    let name = FlameFrame(kind: .thread, name: profile.strings[profile.threads[thread].name])
    return child(of: node, FrameAtLine(frame: intern(name), line: 0))
  }

  // MARK: - Stacks

  private struct FrameAtLine {
    var frame: Int32
    var line: Int32
  }

  /// The node of a stack above `root`. Stacks share their callers, so the walk towards the root
  /// stops at the first one that is `known` (not -1), and each is looked at once.
  private mutating func node(
    of stack: ID<StackNode>?, in profile: Profile, above root: Int32,
    frames: inout [[FrameAtLine]?], known: inout [Int32]
  ) -> Int32 {
    var pending: [ID<StackNode>] = []
    var node = root
    var next = stack
    while let id = next {
      if known[id.index] >= 0 {
        node = known[id.index]
        break
      }
      pending.append(id)
      next = profile.stacks[id].parent
    }
    for id in pending.reversed() {
      let location = profile.stacks[id].location
      let atLocation = frames[location.index] ?? self.frames(of: location, in: profile)
      frames[location.index] = atLocation
      for frame in atLocation { node = child(of: node, frame) }
      known[id.index] = node
    }
    return node
  }

  /// The frames at a location, outermost first.
  private mutating func frames(of id: ID<Location>, in profile: Profile) -> [FrameAtLine] {
    var kind = FlameFrame.Kind.code
    if case .marker = profile.locations[id].place { kind = .marker }
    return profile.frames(of: id).reversed().map { frame in
      let new = FlameFrame(kind: kind, name: frame.name, module: frame.module, file: frame.file)
      return FrameAtLine(frame: intern(new), line: frame.line)
    }
  }

  private mutating func intern(_ frame: FlameFrame) -> Int32 {
    let key = FrameKey(
      kind: frame.kind, name: frame.name, module: Profile.basename(frame.module))
    if let known = frameIDs[key] { return known }
    let new = Int32(tree.frames.count)
    tree.frames.append(frame)
    frameIDs[key] = new
    return new
  }

  private mutating func child(of parent: Int32, _ frame: FrameAtLine) -> Int32 {
    let key = UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: frame.frame))
    if let known = nodeIDs[key] {
      if tree.nodes[Int(known)].line != frame.line { tree.nodes[Int(known)].line = 0 }
      return known
    }
    let new = Int32(tree.nodes.count)
    tree.nodes.append(FlameTree.Node(frame: frame.frame, parent: parent, line: frame.line))
    nodeIDs[key] = new
    return new
  }
}
