import CAgentWire
import ProfileModel
import Testing

@testable import Capture
@testable import HeapTracker

/// Sequences small enough to count by hand.
struct EventTests {
  @Test func allocationsAndFreesAreSummedBySite() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    thread.tell(0, [0x1000, 0x2000])
    thread.tell(1, [0x1100, 0x2000])
    thread.allocate(10, 0xa000, 100, stack: 0)
    thread.allocate(20, 0xb000, 50, stack: 1)
    thread.allocate(30, 0xc000, 7, stack: 0)
    thread.free(40, 0xa000)
    thread.allocate(50, 0xd000, 0, stack: 1)
    agent.poll()
    let heap = agent.heap()
    #expect(heap.sites.count == 2)
    let (first, second) = (heap.sites[0], heap.sites[1])
    #expect(first.allocated == HeapAmount(count: 2, bytes: 107))
    #expect(first.freed == HeapAmount(count: 1, bytes: 100))
    #expect(first.atPeak == HeapAmount(count: 2, bytes: 107))
    #expect(first.temporary == HeapAmount())
    #expect(second.allocated == HeapAmount(count: 2, bytes: 50))
    #expect(second.atPeak == HeapAmount(count: 1, bytes: 50))
    let process = heap.processes[0]
    #expect(process.allocated == HeapAmount(count: 4, bytes: 157))
    #expect(process.live == HeapAmount(count: 3, bytes: 57))
    #expect(process.peak == HeapAmount(count: 3, bytes: 157))
    // 0 and 1, 4 to 7, 32 to 63, 64 to 127.
    #expect(process.sizes.map(\.count) == [1, 0, 1, 0, 0, 1, 1])
    #expect(process.lifetimes.reduce(0) { $0 + $1.count } == 1)
    #expect(heap.threads[0].allocated == HeapAmount(count: 4, bytes: 157))
    #expect(heap.threads[0].freed == HeapAmount(count: 1, bytes: 100))
    _ = agent.finish()
  }

  @Test func aBlockFreedByTheNextActionIsTemporary() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let (a, b) = (agent.startThread(), agent.startThread())
    a.allocate(10, 0xa000, 8)
    a.free(20, 0xa000)  // temporary
    a.allocate(30, 0xa000, 8)
    a.allocate(31, 0xb000, 8)
    a.free(40, 0xa000)  // not: something came between
    a.allocate(50, 0xc000, 8)
    b.free(55, 0xc000)  // not: by another thread
    b.allocate(56, 0xc000, 8)
    a.free(60, 0xc000)  // not: that block is b's
    a.allocate(70, 0xd000, 8)
    a.freeLast()  // temporary
    agent.poll()
    let heap = agent.finish()
    #expect(heap.processes[0].temporary == HeapAmount(count: 2, bytes: 16))
    #expect(heap.processes[0].live == HeapAmount(count: 1, bytes: 8))
    #expect(agent.session.losses.isEmpty || agent.session.losses[.badRecord].events == 0)
  }

  @Test func aFreeThatDidNotHappenLeavesNoTrace() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    thread.allocate(10, 0xa000, 100)
    thread.allocate(11, 0xb000, 10)
    thread.free(20, 0xa000)
    thread.undoFree(0xa000)
    thread.free(30, 0xdead)  // never seen
    thread.undoFree(0xdead)
    thread.free(40, 0xbeef)
    thread.allocate(50, 0xc000, 1)
    thread.free(60, 0xc000)
    thread.undoFree(0xc000)
    thread.freeLast()  // its next action after all
    agent.poll()
    let process = agent.finish().processes[0]
    #expect(process.allocated == HeapAmount(count: 3, bytes: 111))
    #expect(process.freed == HeapAmount(count: 1, bytes: 1))
    #expect(process.temporary == HeapAmount(count: 1, bytes: 1))
    #expect(process.unknownFrees == 1)
    #expect(process.peak == HeapAmount(count: 3, bytes: 111))
    #expect(process.lifetimes == [])
  }

  @Test func anAllocationWhereABlockIsLiveReplacesIt() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    thread.allocate(10, 0xa000, 100)
    thread.allocate(20, 0xa000, 30)
    thread.undoFree(0xa000)  // of no free
    agent.poll()
    #expect(agent.tracker.contradictions == 2)
    #expect(agent.finish().processes[0].live == HeapAmount(count: 1, bytes: 30))
  }

  @Test func eventsOfThreadsAreTakenInTheOrderOfTheirTimes() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let (a, b) = (agent.startThread(), agent.startThread())
    // An address goes from hand to hand; read ring by ring this would contradict itself.
    for round in UInt64(0)..<100 {
      a.allocate(1000 + round * 40, 0xa000, 1)
      b.free(1010 + round * 40, 0xa000)
      b.allocate(1020 + round * 40, 0xa000, 2)
      a.free(1030 + round * 40, 0xa000)
    }
    agent.poll()
    #expect(agent.tracker.contradictions == 0)
    let process = agent.finish().processes[0]
    #expect(process.allocated == HeapAmount(count: 200, bytes: 300))
    #expect(process.live == HeapAmount())
    #expect(process.peak == HeapAmount(count: 1, bytes: 2))
    #expect(process.unknownFrees == 0)
  }

  @Test func aThreadInTheMiddleOfAnEventHoldsTheOthersBack() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let (a, b) = (agent.startThread(), agent.startThread())
    a.allocate(100, 0xa000, 1)
    a.setInFlight(since: 150)
    b.allocate(140, 0xb000, 2)
    b.free(200, 0xa000)
    b.allocate(210, 0xa000, 4)
    agent.poll()
    #expect(agent.heap().processes[0].allocated == HeapAmount(count: 2, bytes: 3))
    #expect(agent.heap().processes[0].freed == HeapAmount())
    a.allocate(160, 0xc000, 8)
    a.setInFlight(since: 0)
    agent.poll()
    #expect(agent.heap().processes[0].allocated == HeapAmount(count: 4, bytes: 15))
    #expect(agent.tracker.contradictions == 0)
    _ = agent.finish()
  }

  @Test func anEndedThreadHoldsNoOneBackAndItsEventsCount() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let (a, b) = (agent.startThread(), agent.startThread())
    a.setInFlight(since: 50)
    b.allocate(100, 0xb000, 2)
    agent.poll()
    #expect(agent.heap().processes[0].allocated.count == 0)
    a.end()
    a.slot.pointee.failed = 3
    agent.poll()
    #expect(agent.heap().processes[0].allocated.count == 1)
    #expect(a.slot.pointee.state == QPROF_SLOT_FREE.rawValue)
    #expect(agent.finish().processes[0].failed == 3)
  }

  @Test func whatAnEndedProcessLeftIsTakenWhateverWasInFlight() throws {
    let agent = try SyntheticAgent()
    agent.startProcess(pid: Int32.max)
    let (a, b) = (agent.startThread(), agent.startThread())
    a.setInFlight(since: 50)
    b.allocate(100, 0xb000, 2)
    a.allocate(60, 0xa000, 1)
    b.put(200 << 3 | UInt64(QPROF_EVENT_ALLOCATE.rawValue))  // it was killed while writing
    agent.poll()
    let heap = agent.finish()
    #expect(heap.processes[0].allocated == HeapAmount(count: 2, bytes: 3))
    #expect(heap.sites[0].live == HeapAmount(count: 2, bytes: 3))
    #expect(agent.session.losses[.badRecord].events == 1)
  }

  @Test func processesKnowNothingOfEachOther() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let child = agent.startProcess(parentImage: 1)
    let (a, b) = (agent.startThread(), agent.startThread(in: child))
    a.allocate(10, 0xa000, 100)
    a.setInFlight(since: 11)
    b.free(20, 0xa000)  // inherited
    b.allocate(30, 0xa000, 5)
    agent.poll()
    let heap = agent.finish()
    #expect(heap.processes.map(\.allocated.bytes) == [100, 5])
    #expect(heap.processes.map(\.unknownFrees) == [0, 1])
  }

  @Test func peaksAreKeptBySite() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    for stack in UInt64(0)..<3 { thread.tell(stack, [0x1000 + stack * 16]) }
    thread.allocate(10, 0xa000, 10, stack: 0)
    thread.allocate(20, 0xb000, 20, stack: 1)
    thread.free(30, 0xa000)
    thread.allocate(40, 0xc000, 15, stack: 2)  // 35: the peak
    thread.free(50, 0xb000)
    thread.free(60, 0xc000)
    thread.allocate(70, 0xd000, 34, stack: 0)
    agent.poll()
    let heap = agent.finish()
    #expect(heap.sites.map(\.atPeak.bytes) == [0, 20, 15])
    #expect(heap.processes[0].peak == HeapAmount(count: 2, bytes: 35))
  }

  @Test func stacksWithoutBeginningAreCounted() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    thread.tell(7, [0x1000], ending: UInt64(QPROF_STACK_BROKEN_CHAIN.rawValue))
    thread.allocate(10, 0xa000, 10, stack: 7)
    thread.allocate(11, 0xb000, 10, stack: 9)  // never told
    agent.poll()
    let heap = agent.finish()
    #expect(heap.processes[0].truncated == 1)
    #expect(heap.sites.filter { $0.stack == nil }.map(\.allocated.count) == [1])
    let stack = try #require(heap.sites.compactMap(\.stack).first)
    let places = agent.rows.profile.locations(of: stack).map {
      agent.rows.profile.locations[$0].place
    }
    #expect(places == [.unmapped(RuntimeAddress(0xfff)), .marker(.brokenChain)])
  }

  @Test func whereClocksDisagreeOneCounterOrders() throws {
    let agent = try SyntheticAgent(isCounted: true)
    agent.startProcess()
    let (a, b) = (agent.startThread(), agent.startThread())
    let flags = agent.session.file.header.pointee.flags
    #expect(flags & QPROF_ORDER_COUNTED.rawValue != 0)
    b.free(2, 0xa000)
    b.allocate(3, 0xa000, 2)
    a.allocate(1, 0xa000, 1)
    a.allocate(4, 0xb000, 4)
    a.setInFlight(since: 3)  // its next event has a higher number than 3
    agent.session.file.header.pointee.order = 3
    agent.poll()
    #expect(agent.heap().processes[0].allocated == HeapAmount(count: 2, bytes: 3))
    a.setInFlight(since: 0)
    agent.session.file.header.pointee.order = 4
    agent.poll()
    #expect(agent.tracker.contradictions == 0)
    let process = agent.finish().processes[0]
    #expect(process.allocated == HeapAmount(count: 3, bytes: 7))
    #expect(process.lifetimes == [])  // an order is no time
    #expect(process.peakTime > Nanoseconds(0))
  }

  @Test func countingTakesTotalsFromTheSlots() throws {
    let agent = try SyntheticAgent(.count)
    agent.startProcess()
    let (a, b) = (agent.startThread(), agent.startThread())
    a.slot.pointee.allocations = 5
    a.slot.pointee.bytes = 500
    a.slot.pointee.frees = 2
    b.slot.pointee.allocations = 1
    b.slot.pointee.bytes = 1
    b.slot.pointee.lost = 4
    agent.poll()
    let process = agent.finish().processes[0]
    #expect(process.allocated == HeapAmount(count: 6, bytes: 501))
    #expect(process.freed.count == 2)
    #expect(process.lost == 4)
  }

  @Test func aWaitingThreadIsWokenWhenThereIsRoom() throws {
    let agent = try SyntheticAgent()
    agent.startProcess()
    let thread = agent.startThread()
    thread.slot.pointee.waiting = 1
    for event in UInt64(0)..<10_000 { thread.allocate(event, 0x1_0000 + event * 16, 8) }
    agent.poll()
    #expect(thread.slot.pointee.drained > 10)  // not only at the end
    #expect(thread.room == UInt64(QPROF_RING_SIZE))
    _ = agent.finish()
  }
}
