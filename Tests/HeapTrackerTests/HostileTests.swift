import CAgentWire
import ProfileModel
import TestSupport
import Testing

@testable import Capture
@testable import HeapTracker

/// Whatever a process writes, the recorder goes on, and its other processes are not harmed.
struct HostileTests {
  @Test(arguments: 0..<60) func nonsenseIsSurvived(seed: Int) throws {
    var random = RepeatableRandom(seed: UInt64(seed))
    let agent = try SyntheticAgent(
      [.full, .sample(interval: Bytes(1000)), .count].randomElement(using: &random) ?? .full)
    agent.startProcess()
    let good = agent.startProcess()
    let (bad, other, well) = (agent.startThread(), agent.startThread(), agent.startThread(in: good))
    for round in UInt64(1)...20 {
      for thread in [bad, other] { write(to: thread, round, &random) }
      if Int.random(in: 0..<8, using: &random) == 0 {
        bad.slot.pointee.head = UInt64.random(in: 0...UInt64.max, using: &random)
      }
      well.allocate(round * 10, round * 16, 5)
      bad.setInFlight(since: Bool.random(using: &random) ? 0 : UInt64.random(in: 0...UInt64.max, using: &random))
      agent.poll()
      if bad.slot.pointee.tail != bad.head { bad.moveOn() }
    }
    let heap = agent.finish()
    if case .full = heap.mode {
      #expect(heap.processes[1].allocated == HeapAmount(count: 20, bytes: 100), "seed \(seed)")
    }
  }

  private func write(
    to thread: SyntheticThread, _ round: UInt64, _ random: inout RepeatableRandom
  ) {
    thread.tell(3, [0x1000, 0x2000])
    for _ in 0..<Int.random(in: 0...40, using: &random) {
      guard thread.room > 4096 else { return }
      let time = UInt64.random(in: 0..<1000, using: &random) + round * 100
      switch Int.random(in: 0..<9, using: &random) {
      case 0: thread.put(UInt64.random(in: 0...UInt64.max, using: &random))
      case 1: thread.allocate(time, .random(in: 0..<100, using: &random), .random(in: 0...UInt64.max, using: &random), stack: .random(in: 0..<65536, using: &random))
      case 2: thread.free(time, .random(in: 0..<100, using: &random))
      case 3: thread.freeLast()
      case 4: thread.undoFree(.random(in: 0..<100, using: &random))
      case 5:  // a header of any kind and size, with words of anything
        let size = UInt64.random(in: 0...600, using: &random) & ~7
        thread.put(size | UInt64.random(in: 0...5, using: &random) << 32 | UInt64.random(in: 0...6, using: &random) << 48)
        for _ in 0..<size / 8 { thread.put(UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0..<64, using: &random)) }
      case 6:
        thread.region(
          [QPROF_REGION_MAPPED, QPROF_REGION_UNMAPPED, QPROF_REGION_BREAK].randomElement(using: &random) ?? QPROF_REGION_MAPPED,
          time, .random(in: 0...UInt64.max, using: &random), .random(in: 0...UInt64.max, using: &random),
          stack: .random(in: 0...UInt64.max, using: &random))
      case 7: thread.tell(.random(in: 0...70_000, using: &random), [.random(in: 0...UInt64.max, using: &random)], ending: .random(in: 0..<9, using: &random), generation: .random(in: 0..<5, using: &random))
      default: thread.allocate(.random(in: 0...UInt64.max, using: &random) >> 3, 0x10_0000 + time * 16, 1)
      }
    }
  }

  @Test func aRingWithABadWordIsEmptiedAndGoesOn() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    thread.allocate(10, 0xa000, 1)
    thread.put(7)  // no event
    thread.allocate(20, 0xb000, 2)
    agent.poll()
    thread.allocate(30, 0xc000, 4)
    agent.poll()
    #expect(agent.session.losses[.badRecord].events == 1)
    #expect(agent.finish().processes[0].allocated == HeapAmount(count: 2, bytes: 5))
  }

  @Test func aThreadThatIsStoppedInAnEventHoldsTheOthersForASecondOnly() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let (a, b) = (agent.startThread(), agent.startThread())
    a.setInFlight(since: 5)
    b.allocate(10, 0xa000, 1)
    agent.poll()
    #expect(agent.heap().processes[0].allocated.count == 0)
    Syscalls.sleep(milliseconds: 1100)
    agent.poll()
    #expect(agent.heap().processes[0].allocated.count == 1)
    _ = agent.finish()
  }
}

extension SyntheticThread {
  /// Goes on behind what the recorder has read.
  func moveOn() { setHead(slot.pointee.tail & ~7) }
}
