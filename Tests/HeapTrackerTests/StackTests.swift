import CAgentWire
import ProfileModel
import Testing

@testable import Capture
@testable import HeapTracker

/// Which code a stack went through depends on when it was walked.
struct StackTests {
  /// Code of a plugin, by its file, at an address where another is mapped later.
  private func line(_ path: String, at address: String) -> String {
    "\(address)000-\(address)fff r-xp 00000000 00:00 77 \(path)\n"
  }

  private func paths(_ agent: SyntheticAgent, _ heap: HeapProfile) -> [[String]] {
    let profile = agent.rows.profile
    return heap.sites.map { site in
      profile.locations(of: site.stack).map { location in
        guard case .code(let mapping, _) = profile.locations[location].place else { return "?" }
        return profile.strings[profile.mappings[mapping].path]
      }
    }
  }

  @Test func stacksThroughAnUnloadedObjectStayItsOwn() throws {
    let agent = try SyntheticAgent()
    agent.startProcess(pid: Int32.max)  // its mappings are known from its records only
    let (a, b) = (agent.startThread(), agent.startThread())
    a.maps(line("/plugin/one.so", at: "7000"), generation: 0)
    a.tell(0, [0x700_0010], generation: 0)
    a.allocate(10, 0xa000, 1, stack: 0)
    // The first plugin is unloaded, and the second takes its place.
    agent.session.file.process(0).pointee.generation = 1
    a.maps(line("/plugin/two.so", at: "7000"), generation: 1)
    a.tell(0, [0x700_0010], generation: 1)
    a.allocate(20, 0xb000, 2, stack: 0)
    b.tell(0, [0x700_0010], generation: 0)  // told late, walked before
    b.allocate(30, 0xc000, 4, stack: 0)
    agent.poll()
    let heap = agent.finish()
    #expect(paths(agent, heap) == [["/plugin/one.so"], ["/plugin/two.so"]])
    #expect(heap.sites.map(\.allocated.bytes) == [5, 2])
  }

  @Test func mappingsToldLateBelongToTheirGeneration() throws {
    let agent = try SyntheticAgent()
    agent.startProcess(pid: Int32.max)
    let thread = agent.startThread()
    thread.maps(line("/plugin/one.so", at: "7000"), generation: 0)
    // Two unloadings before the recorder looks: it has never seen generation 1 alive.
    thread.maps(line("/plugin/two.so", at: "7000"), generation: 1)
    thread.maps(line("/plugin/three.so", at: "7000"), generation: 2)
    agent.session.file.process(0).pointee.generation = 2
    for generation in UInt64(0)...2 {
      thread.tell(generation, [0x700_0010], generation: generation)
      thread.allocate(10 + generation, 0xa000 + generation * 16, 1, stack: generation)
    }
    agent.poll()
    let expected = [["/plugin/one.so"], ["/plugin/two.so"], ["/plugin/three.so"]]
    #expect(paths(agent, agent.finish()) == expected)
  }

  @Test func framesOfTheAgentAreLeftOut() throws {
    let agent = try SyntheticAgent()
    agent.startProcess(pid: Int32.max)
    let thread = agent.startThread()
    thread.maps(
      line("/opt/libqprof-heap.so", at: "7000") + line("/bin/program", at: "6000"), generation: 0)
    let exact: UInt64 = 1 << 63
    thread.tell(0, [0x700_0010, 0x600_0000 | exact, 0x600_0101, 0x700_0020])
    thread.allocate(10, 0xa000, 1)
    agent.poll()
    let heap = agent.finish()
    #expect(paths(agent, heap) == [["/bin/program", "/bin/program"]])
    let addresses = agent.rows.profile.locations(of: heap.sites[0].stack).map { location in
      guard case .code(_, let address) = agent.rows.profile.locations[location].place else {
        return UInt64(0)
      }
      return address.rawValue
    }
    // Without an image, addresses of the file are those of the process; a return address is looked
    // up in the call before it.
    #expect(addresses == [0x600_0000, 0x600_0100])
  }

  @Test func stacksThatAreToldAgainAreTheSameSite() throws {
    let agent = try SyntheticAgent()
    agent.startProcess(pid: Int32.max)
    let (a, b) = (agent.startThread(), agent.startThread())
    for index in UInt64(0)..<3000 {
      for (number, thread) in [a, b].enumerated() {
        thread.tell(index % 7, [0x1000 + index % 1500, 0x2000 + index % 3, 0x3000])
        let address = 0x10_0000 + index * 32 + UInt64(number) * 16
        thread.allocate(index * 2 + 1, address, 1, stack: index % 7)
      }
    }
    agent.poll()
    let heap = agent.finish()
    #expect(heap.sites.count == 1500)
    #expect(heap.sites.allSatisfy { $0.allocated.count == 4 })
  }
}
