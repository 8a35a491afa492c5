import ProfileModel
import TestSupport
import Testing

@Suite struct FlatProfileTests {
  /// main ─ a ─ b (3), main ─ a (2), main ─ b ─ a ─ b (5)
  private func recursive() -> Profile {
    var builder = ProfileBuilder()
    builder.add(["main", "a", "b"], weight: 3)
    builder.add(["main", "a"], weight: 2)
    builder.add(["main", "b", "a", "b"], weight: 5)
    return builder.profile
  }

  @Test func recursionCountsOncePerSample() {
    let flat = FlatProfile(recursive())
    let byName = Dictionary(uniqueKeysWithValues: flat.functions.map { ($0.function.name, $0) })
    #expect(flat.total == Tally(weight: 10, samples: 3))
    #expect(byName["main"]?.flat == Tally())
    #expect(byName["main"]?.cumulative == Tally(weight: 10, samples: 3))
    #expect(byName["a"]?.flat == Tally(weight: 2, samples: 1))
    #expect(byName["a"]?.cumulative == Tally(weight: 10, samples: 3))
    #expect(byName["b"]?.flat == Tally(weight: 8, samples: 2))
    #expect(byName["b"]?.cumulative == Tally(weight: 8, samples: 2))
  }

  @Test func orderIsValueThenName() {
    let flat = FlatProfile(recursive())
    #expect(flat.functions.map(\.function.name) == ["b", "a", "main"])
    #expect(flat.functions(by: .cumulative).map(\.function.name) == ["a", "main", "b"])
  }

  @Test func inlinedFunctionsAreFunctions() {
    var profile = Profile()
    let path = profile.strings.intern("/bin/x")
    let mapping = profile.mappings.intern(
      Mapping(
        kind: .file, path: path, buildID: nil, start: FileAddress(0), end: FileAddress(4096),
        offset: FileOffset(0)))
    let names = ["inner", "outer"].map { profile.strings.intern($0) }
    let lines = names.map {
      Line(
        function: profile.functions.intern(Function(name: $0, systemName: $0, file: nil)), line: 1)
    }
    let location = profile.locations.intern(.code(mapping, FileAddress(16)))
    profile.locations.setLines(lines, of: location)
    let stack = profile.stacks.intern(StackNode(parent: nil, location: location))
    let unknown = profile.locations.intern(.code(mapping, FileAddress(0x20)))
    let second = profile.stacks.intern(StackNode(parent: stack, location: unknown))
    profile.samples = [
      Sample(time: Nanoseconds(1), thread: nil, stack: stack, weight: 4),
      Sample(time: Nanoseconds(2), thread: nil, stack: second, weight: 1),
      Sample(time: Nanoseconds(3), thread: nil, stack: nil, weight: 2),
    ]

    let flat = FlatProfile(profile)
    #expect(flat.functions.map(\.function.name) == ["inner", "x+0x20", "outer"])
    #expect(flat.functions.map(\.flat.weight) == [4, 1, 0])
    #expect(flat.functions.map(\.cumulative.weight) == [5, 1, 5])
    #expect(flat.functions.map(\.function.module) == ["/bin/x", "/bin/x", "/bin/x"])
    #expect(flat.unsymbolised == Tally(weight: 1, samples: 1))
    #expect(flat.withoutStack == Tally(weight: 2, samples: 1))
    // A function known only by where it starts has a line, and still no symbol.
    let start = profile.strings.intern("x+0x18")
    let bare = profile.functions.intern(Function(name: start, systemName: start, file: nil))
    profile.locations.setLines([Line(function: bare, line: 0)], of: unknown)
    let named = FlatProfile(profile)
    #expect(named.functions.map(\.function.name) == ["inner", "x+0x18", "outer"])
    #expect(named.unsymbolised == Tally(weight: 1, samples: 1))
    // (4 + 1 + 2)² / (16 + 1 + 4)
    #expect(abs((flat.effectiveSamples ?? 0) - 49.0 / 21.0) < 1e-12)
  }

  @Test func sameNameInAnotherModuleIsAnotherFunction() {
    var profile = Profile()
    let name = profile.strings.intern("init")
    let function = profile.functions.intern(Function(name: name, systemName: name, file: nil))
    for (weight, path) in [(1, "/lib/a.so"), (2, "/lib/b.so")] as [(Int64, String)] {
      let mapping = profile.mappings.intern(
        Mapping(
          kind: .file, path: profile.strings.intern(path), buildID: nil, start: FileAddress(0),
          end: FileAddress(64), offset: FileOffset(0)))
      let location = profile.locations.intern(.code(mapping, FileAddress(1)))
      profile.locations.setLines([Line(function: function, line: 0)], of: location)
      let stack = profile.stacks.intern(StackNode(parent: nil, location: location))
      profile.samples.append(
        Sample(time: Nanoseconds(0), thread: nil, stack: stack, weight: weight))
    }
    let flat = FlatProfile(profile)
    #expect(flat.functions.map(\.function.module) == ["/lib/b.so", "/lib/a.so"])
    #expect(flat.effectiveSamples == nil)
  }

  @Test func markersAreApart() {
    let profile = Profile.withMarkers()
    let flat = FlatProfile(profile)
    #expect(flat.functions.map(\.function.name) == ["work", "main"])
    #expect(
      flat.markers.map(\.function.name) == ["[signal blocked]", "[truncated: stack capped]"])
    #expect(flat.markers.map(\.flat.weight) == [8, 0])
    #expect(flat.markers.map(\.cumulative.weight) == [8, 3])

    let completeness = Completeness(profile)
    #expect(completeness.complete == Tally(weight: 7, samples: 1))
    #expect(completeness.byMarker[.stackCapped] == Tally(weight: 3, samples: 1))
    #expect(completeness.byMarker[.signalBlocked] == Tally(weight: 8, samples: 1))
    #expect(completeness.total.weight == 18)
  }

  @Test func hugeWeightsDoNotTrap() {
    var builder = ProfileBuilder()
    builder.add(["a"], weight: .max)
    builder.add(["a"], weight: .max)
    builder.add(["b"], weight: .min)
    #expect(FlatProfile(builder.profile).functions.first?.flat.weight == .max)
    #expect(CallTree(builder.profile).total.weight == StackTotals(builder.profile).total.weight)
  }

  @Test func emptyProfile() {
    let flat = FlatProfile(Profile())
    #expect(flat.functions.isEmpty && flat.total.isZero)
    #expect(flat.share(of: Tally()).value == 0)
    #expect(CallTree(Profile(), minimumShare: 0.01).nodes.isEmpty)
  }

  @Test(arguments: [UInt64(1), 2, 3]) func flatWeightsAddUpToTheTotal(seed: UInt64) {
    var random = RepeatableRandom(seed: seed)
    let profile = Profile.random(samples: 2_000, using: &random)
    let flat = FlatProfile(profile)
    let sum = (flat.functions + flat.markers).reduce(flat.withoutStack) { $0 + $1.flat }
    #expect(sum == flat.total, "seed \(seed)")
    #expect(flat.total.weight == profile.samples.reduce(0) { $0 + $1.weight }, "seed \(seed)")

    // Independent of the tables: count from the frame names of each sample.
    var expected: [String: Int64] = [:]
    for sample in profile.samples {
      let names = profile.locations(of: sample.stack).flatMap { profile.frames(of: $0).map(\.name) }
      for name in Set(names) { expected[name, default: 0] += sample.weight }
    }
    let actual = Dictionary(
      uniqueKeysWithValues: (flat.functions + flat.markers).map {
        ($0.function.name, $0.cumulative.weight)
      })
    #expect(actual == expected, "seed \(seed)")
  }
}

extension Profile {
  /// `main ─ work` 7, `[truncated: stack capped] ─ work` 3, `[signal blocked]` 8.
  static func withMarkers() -> Profile {
    var builder = ProfileBuilder()
    builder.add(["main", "work"], weight: 7)
    var profile = builder.profile
    let capped = profile.locations.intern(.marker(.stackCapped))
    let root = profile.stacks.intern(StackNode(parent: nil, location: capped))
    if let leaf = profile.samples.first?.stack {
      let work = profile.stacks.intern(
        StackNode(parent: root, location: profile.stacks[leaf].location))
      profile.samples.append(Sample(time: Nanoseconds(0), thread: nil, stack: work, weight: 3))
    }
    let blocked = profile.locations.intern(.marker(.signalBlocked))
    let alone = profile.stacks.intern(StackNode(parent: nil, location: blocked))
    profile.samples.append(Sample(time: Nanoseconds(0), thread: nil, stack: alone, weight: 8))
    return profile
  }

  /// Stacks of up to eight frames over six functions, so that recursion is common.
  static func random(samples: Int, using random: inout RepeatableRandom) -> Profile {
    var builder = ProfileBuilder()
    let threads = (1...3).map {
      builder.addThread(process: "p\($0 / 2)", pid: Int32($0 / 2), tid: Int32($0), name: "t\($0)")
    }
    for _ in 0..<samples {
      let depth = Int.random(in: 0...8, using: &random)
      let names = (0..<depth).map { _ in
        ["a", "b", "c", "d", "e", "f"].randomElement(using: &random) ?? "a"
      }
      builder.add(
        names, weight: Int64.random(in: 1...4, using: &random),
        thread: threads.randomElement(using: &random), time: Nanoseconds(1))
    }
    return builder.profile
  }
}
