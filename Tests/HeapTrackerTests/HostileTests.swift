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
      bad.setInFlight(since: Bool.random(using: &random) ? 0 : random.next())
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
    func any(below limit: UInt64 = .max) -> UInt64 { .random(in: 0..<limit, using: &random) }
    for _ in 0..<any(below: 40) {
      guard thread.room > 4096 else { return }
      let time = any(below: 1000) + round * 100
      switch any(below: 9) {
      case 0: thread.put(any())
      case 1: thread.allocate(time, any(below: 100), any(), stack: any(below: 65536))
      case 2: thread.free(time, any(below: 100))
      case 3: thread.freeLast()
      case 4: thread.undoFree(any(below: 100))
      case 5:  // a header of any kind and size, with words of anything
        let size = any(below: 600) & ~7
        thread.put(size | any(below: 6) << 32 | any(below: 7) << 48)
        for _ in 0..<size / 8 { thread.put(any() >> any(below: 64)) }
      case 6:
        let events = [QPROF_REGION_MAPPED, QPROF_REGION_UNMAPPED, QPROF_REGION_BREAK]
        thread.region(events[Int(any(below: 3))], time, any(), any(), stack: any())
      case 7:
        thread.tell(
          any(below: 70_000), [any()], ending: any(below: 9), generation: any(below: 5))
      default: thread.allocate(any() >> 3, 0x10_0000 + time * 16, 1)
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
