import ProfileModel
import TestSupport

extension Profile {
  /// A run of two processes: 200 samples of 4 ms each, 800 ms of the 850 ms that the kernel saw.
  static func example() -> Profile {
    var builder = ProfileBuilder()
    let main = builder.addThread(process: "signer", pid: 100, tid: 100, name: "signer")
    let worker = ThreadInfo(
      process: builder.profile.threads[main].process, tid: 101,
      name: builder.profile.strings.intern("worker"))
    let second = builder.profile.threads.append(worker)
    let child = builder.addThread(process: "sh", pid: 102, tid: 102, name: "sh")
    let stacks: [(Int, ID<ThreadInfo>, [String])] = [
      (90, main, ["_start", "main", "sign", "keccak"]),
      (60, second, ["clone3", "sign", "ntt"]),
      (20, main, ["_start", "main", "sign"]),
      (10, child, ["_start", "main", "fork"]),
      (5, main, ["_start", "main", "verify", "keccak", "absorb", "keccak"]),
      (1, main, ["_start", "main", "load"]),
    ]
    var time: Int64 = 0
    for (count, thread, names) in stacks {
      for _ in 0..<count {
        time += 4_000_000
        builder.add(names, weight: 1, thread: thread, time: Nanoseconds(time))
      }
    }
    var profile = builder.profile
    profile.addUncommonSamples(thread: main)
    profile.period = .cpu(Nanoseconds(4_000_000))
    profile.provenance = .example
    profile.losses.add(.ringFull, events: 3, weight: 5)
    profile.losses.add(.neverEntered, events: 1)
    profile.losses.processNames[.neverEntered] = ["gopher"]
    return profile
  }

  /// Three cut stacks, a blocked signal of weight 2, eight in stripped code, one of no stack.
  private mutating func addUncommonSamples(thread: ID<ThreadInfo>) {
    let mapping = mappings.intern(
      Mapping(
        kind: .file, path: strings.intern("/usr/lib/libstripped.so.1"), buildID: nil,
        start: FileAddress(0), end: FileAddress(0x10000), offset: FileOffset(0)))
    let capped = stack([.marker(.stackCapped), .code(mapping, FileAddress(0x40))])
    let blocked = stack([.marker(.signalBlocked)])
    let bare = stack([.code(mapping, FileAddress(0x1234))])
    let rows: [(ID<StackNode>?, Int, Int64)] = [
      (capped, 3, 1), (blocked, 1, 2), (bare, 8, 1), (nil, 1, 1),
    ]
    for (stack, count, weight) in rows {
      let sample = Sample(
        time: Nanoseconds(900_000_000), thread: thread, stack: stack, weight: weight)
      samples += Array(repeating: sample, count: count)
    }
  }

  private mutating func stack(_ places: [Location.Place]) -> ID<StackNode>? {
    var leaf: ID<StackNode>?
    for place in places {
      leaf = stacks.intern(StackNode(parent: leaf, location: locations.intern(place)))
    }
    return leaf
  }
}

extension Provenance {
  static var example: Provenance {
    var provenance = Provenance()
    provenance.command = ["./signer", "--message", "two words"]
    provenance.workingDirectory = "/home/user/crypto"
    provenance.bench = "ml_dsa"
    provenance.host = "vm"
    provenance.kernel = "6.18.5"
    provenance.processors = 2
    provenance.toolVersion = "0.1.0"
    provenance.gitCommit = "8a25c5e0000000000000"
    provenance.startTime = 1_795_507_200
    provenance.duration = Nanoseconds(910_000_000)
    provenance.requestedRate = 999
    provenance.effectiveRate = 250
    provenance.cpuTime = Nanoseconds(850_000_000)
    provenance.peakResidentBytes = 31 << 20
    provenance.exit = .exited(0)
    return provenance
  }
}
