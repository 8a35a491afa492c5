import ProfileModel
import TestSupport
import Testing

@Suite struct ProcessTotalsTests {
  @Test func threadsAndProcessesAddUp() {
    var builder = ProfileBuilder()
    let first = builder.addThread(process: "gcc", pid: 10, tid: 10, name: "gcc")
    let second = builder.addThread(process: "cc1", pid: 11, tid: 11, name: "cc1")
    let idle = builder.addThread(process: "as", pid: 12, tid: 12, name: "as")
    builder.add(["main"], weight: 1, thread: first)
    builder.add(["main"], weight: 4, thread: second)
    builder.add(["main"], weight: 2, thread: second)
    builder.add(["main"], weight: 9)
    let totals = ProcessTotals(builder.profile)
    let pids = totals.processes.map { builder.profile.processes[$0.image].pid }
    #expect(pids == [11, 10, 12])
    #expect(totals.processes.map(\.tally.weight) == [6, 1, 0])
    #expect(totals.processes.map(\.tally.samples) == [2, 1, 0])
    #expect(totals.processes.map { $0.threads.map(\.thread) } == [[second], [first], [idle]])
    #expect(totals.withoutThread == Tally(weight: 9, samples: 1))
  }
}
