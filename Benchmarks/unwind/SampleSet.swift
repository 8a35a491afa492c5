import ProfileFormats
import ProfileModel

/// Writes a recording of exactly `sampleCount` samples over `stackCount` distinct stacks: the first
/// samples of a real one, those on further stacks moved to stacks already there.
func writeSampleSet(
  from source: String, to path: String, samples sampleCount: Int, stacks stackCount: Int
) throws {
  let profile = try readRecording(path: source).profile
  guard profile.samples.count >= sampleCount else {
    throw BenchError.tooFewSamples(
      path: source, found: profile.samples.count, wanted: sampleCount)
  }
  let stacks = distinctStacks(of: profile, count: stackCount)
  guard stacks.count == stackCount else {
    throw BenchError.tooFewStacks(path: source, found: stacks.count, wanted: stackCount)
  }
  var copy = SampleCopy(source: profile)
  let known = Set(stacks)
  let writer = try RecordingWriter(path: path)
  var second = Nanoseconds(1_000_000_000)
  for (position, original) in profile.samples.prefix(sampleCount).enumerated() {
    var sample = original
    if sample.stack.map(known.contains) != true { sample.stack = stacks[position % stackCount] }
    if sample.time >= second {
      try writer.append(&copy.result)
      second = sample.time + Nanoseconds(1_000_000_000)
    }
    copy.append(sample)
  }
  try writer.append(&copy.result)
  try writer.finish(copy.result)
  try writer.close()
}

/// Evenly spread over all distinct stacks of the profile: the first ones would be those of one
/// phase of the program.
private func distinctStacks(of profile: Profile, count: Int) -> [ID<StackNode>] {
  var seen: Set<ID<StackNode>> = []
  let all = profile.samples.compactMap(\.stack).filter { seen.insert($0).inserted }
  guard all.count > count else { return all }
  return (0..<count).map { all[$0 * all.count / count] }
}

/// Copies samples, with all that they refer to and nothing else, into a new profile.
private struct SampleCopy {
  let source: Profile
  var result = Profile()
  private var stacks: [ID<StackNode>: ID<StackNode>] = [:]
  private var threads: [ID<ThreadInfo>: ID<ThreadInfo>] = [:]
  private var processes: [ID<ProcessImage>: ID<ProcessImage>] = [:]

  init(source: Profile) {
    self.source = source
    result.period = source.period
    result.valueType = source.valueType
    result.provenance = source.provenance
  }

  mutating func append(_ sample: Sample) {
    var sample = sample
    sample.stack = sample.stack.map { stack($0) }
    sample.thread = sample.thread.map { thread($0) }
    result.samples.append(sample)
  }

  private mutating func stack(_ id: ID<StackNode>) -> ID<StackNode> {
    if let known = stacks[id] { return known }
    let node = source.stacks[id]
    let parent = node.parent.map { stack($0) }
    let new = result.stacks.intern(StackNode(parent: parent, location: location(node.location)))
    stacks[id] = new
    return new
  }

  private mutating func location(_ id: ID<Location>) -> ID<Location> {
    let location = source.locations[id]
    let place: Location.Place =
      switch location.place {
      case .code(let mapping, let address): .code(self.mapping(mapping), address)
      case .named(let function): .named(self.function(function))
      case .unmapped, .marker: location.place
      }
    let new = result.locations.intern(place)
    result.locations.setLines(
      location.lines.map { Line(function: function($0.function), line: $0.line) }, of: new)
    return new
  }

  private mutating func mapping(_ id: ID<Mapping>) -> ID<Mapping> {
    var row = source.mappings[id]
    row.path = string(row.path)
    return result.mappings.intern(row)
  }

  private mutating func function(_ id: ID<Function>) -> ID<Function> {
    var row = source.functions[id]
    row.name = string(row.name)
    row.systemName = string(row.systemName)
    row.file = row.file.map { string($0) }
    return result.functions.intern(row)
  }

  private mutating func thread(_ id: ID<ThreadInfo>) -> ID<ThreadInfo> {
    if let known = threads[id] { return known }
    var row = source.threads[id]
    row.process = process(row.process)
    row.name = string(row.name)
    let new = result.threads.append(row)
    threads[id] = new
    return new
  }

  private mutating func process(_ id: ID<ProcessImage>) -> ID<ProcessImage> {
    if let known = processes[id] { return known }
    var row = source.processes[id]
    row.name = string(row.name)
    let new = result.processes.append(row)
    processes[id] = new
    return new
  }

  private mutating func string(_ id: ID<String>) -> ID<String> {
    result.strings.intern(source.strings[id])
  }
}
