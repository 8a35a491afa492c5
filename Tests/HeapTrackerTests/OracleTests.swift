import CAgentWire
import ProfileModel
import TestSupport
import Testing

@testable import Capture
@testable import HeapTracker

/// Random programs of several threads, read in rounds that come at random, against ``Oracle``.
struct OracleTests {
  @Test(arguments: 0..<60) func allSumsAreTheOracles(seed: Int) throws {
    var program = try RandomProgram(seed: UInt64(seed))
    for _ in 0..<1500 { try program.step() }
    let profile = try program.finish()
    let oracle = program.oracle
    let row = profile.processes[0]
    #expect(row.peak == oracle.peak, "seed \(seed)")
    #expect(row.live.count == Int64(oracle.live.count))
    #expect(row.unknownFrees == oracle.unknownFrees)
    var sites: [Int: Oracle.Site] = [:]
    for site in profile.sites {
      sites[program.number(of: site.stack)] = Oracle.Site(
        allocated: site.allocated, freed: site.freed, atPeak: site.atPeak,
        temporary: site.temporary)
    }
    #expect(sites == oracle.sites, "seed \(seed)")
    // All threads of this process have its id, so they share a row.
    let freed = oracle.freedByThread.values.reduce(into: HeapAmount()) { $0 += $1 }
    #expect(
      profile.threads.map(\.freed)
        == (freed == HeapAmount() && profile.threads.isEmpty ? [] : [freed]))
    #expect(row.timeline.steps.map(\.allocations).reduce(0, +) == row.allocated.count)
    #expect(row.timeline.steps.map(\.largest).max() == oracle.peak.bytes)
    #expect(row.timeline.steps.last?.live == row.live.bytes)
    #expect(row.timeline.steps.count <= Timeline.capacity)
    #expect(row.sizes.reduce(0) { $0 + $1.count } == row.allocated.count)
    #expect(
      row.lifetimes.reduce(0) { $0 + $1.count }
        == row.freed.count - row.temporary.count - program.oracle.contradictions)
  }
}

/// Writes the rings of a program that allocates and frees at random, and tells an ``Oracle`` the
/// same in true order.
struct RandomProgram {
  private(set) var oracle = Oracle()
  private var random: RepeatableRandom
  private let agent: SyntheticAgent
  private let threads: [SyntheticThread]
  /// By thread: the stack under each index, told or to be told.
  private var told: [Set<UInt64>]
  private var time: UInt64 = 1
  private var addresses: [UInt64] = []
  private let addressCount: UInt64

  init(seed: UInt64) throws {
    random = RepeatableRandom(seed: seed)
    agent = try SyntheticAgent()
    agent.startProcess()
    let agent = agent
    threads = (0..<Int.random(in: 1...5, using: &random)).map { _ in agent.startThread() }
    told = Array(repeating: [], count: threads.count)
    addressCount = UInt64.random(in: 2...200, using: &random)
  }

  mutating func step() throws {
    let index = Int.random(in: 0..<threads.count, using: &random)
    let thread = threads[index]
    time += UInt64.random(in: 1...20, using: &random)
    if thread.room < 4096 || Int.random(in: 0..<60, using: &random) == 0 { poll() }
    switch Int.random(in: 0..<10, using: &random) {
    case 0...3: allocate(index, freeing: false)
    case 4: allocate(index, freeing: true)
    case 5: reallocateInVain(index)
    default: free(index)
    }
  }

  private mutating func address() -> UInt64 {
    0x7f00_0000_0000 + UInt64.random(in: 0..<addressCount, using: &random) * 16
  }

  private mutating func allocate(_ index: Int, freeing: Bool) {
    var address = address()
    // Now and then an event is missing, and an address is given out twice.
    if oracle.live[address] != nil, Int.random(in: 0..<20, using: &random) != 0 {
      free(index)
      return
    }
    if freeing, oracle.live[address] != nil { address += 8 }
    let size = Int64.random(in: 0...1 << Int.random(in: 0...20, using: &random), using: &random)
    let stack = UInt64.random(in: 0..<12, using: &random)
    if told[index].insert(stack).inserted || Int.random(in: 0..<30, using: &random) == 0 {
      threads[index].tell(stack, [0x1000 + stack * 16, 0x9000])
    }
    threads[index].allocate(time, address, UInt64(size), stack: stack)
    oracle.allocate(address, size, site: Int(stack), thread: index)
    if freeing {
      threads[index].freeLast()
      oracle.free(address, thread: index)
    }
  }

  private mutating func free(_ index: Int) {
    let address = address()
    threads[index].free(time, address)
    oracle.free(address, thread: index)
  }

  /// The oracle sees nothing of what did not happen, but the block was not freed as the next action.
  private mutating func reallocateInVain(_ index: Int) {
    let address = address()
    threads[index].free(time, address)
    threads[index].undoFree(address)
    oracle.fail(address, thread: index)
  }

  private mutating func poll() {
    let held = Int.random(in: 0..<threads.count, using: &random)
    // A thread that says it is in an event, of which nothing is written yet.
    if Bool.random(using: &random) {
      threads[held].setInFlight(since: time - UInt64.random(in: 0..<min(time, 50), using: &random))
    }
    agent.poll()
    threads[held].setInFlight(since: 0)
  }

  mutating func finish() throws -> HeapProfile {
    agent.poll()
    try #require(agent.tracker.contradictions == oracle.contradictions)
    let profile = agent.finish()
    try #require(agent.session.losses[.badRecord].events == 0)
    return profile
  }

  func number(of stack: ID<StackNode>?) -> Int { agent.number(of: stack) }
}
