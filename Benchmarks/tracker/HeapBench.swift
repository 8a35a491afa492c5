import CAgentCore
import CAgentWire
import Capture
import Foundation
import HeapTracker
import ProfileModel

/// Measures how many heap events a second the recorder takes on one core. `Benchmarks/run` calls
/// it and makes a table of what it prints.
///
/// This process is recorder and agent in turns: it fills rings as agents do, and only the rounds
/// in which it empties them again are measured.
@main
enum HeapBench {
  static func main() throws {
    let count = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) : 20_000_000
    guard let count, count > 0 else {
      FileHandle.standardError.write(Data("usage: heap-bench [EVENTS]\n".utf8))
      exit(64)
    }
    let recorder = try Session()
    let results = try Workload.all.map { try Bench($0, recorder).run(events: count) }
    recorder.session.finish()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    print(String(decoding: try encoder.encode(results), as: UTF8.self))
  }
}

struct Result: Encodable {
  var workload: String
  var events: Int
  var nanosecondsPerEvent: Double
  var millionEventsPerSecond: Double
  var liveBlocks: Int64
}

/// What the threads do. Each keeps some blocks and replaces one of them at a time.
struct Workload {
  var name: String
  var threads: Int
  var blocksPerThread: Int
  var stacks: Int
  /// The free of the last allocation is one word, as in a process with one thread.
  var isFolded = false

  static let all = [
    Workload(name: "tight loop", threads: 1, blocksPerThread: 1, stacks: 1, isFolded: true),
    Workload(name: "tight loop, timed frees", threads: 1, blocksPerThread: 1, stacks: 1),
    Workload(name: "1,000 blocks", threads: 1, blocksPerThread: 1000, stacks: 100),
    Workload(name: "100,000 blocks", threads: 1, blocksPerThread: 100_000, stacks: 10_000),
    Workload(name: "4 threads", threads: 4, blocksPerThread: 1000, stacks: 100),
    Workload(name: "8 threads", threads: 8, blocksPerThread: 10_000, stacks: 1000),
  ]
}

enum BenchError: Error { case noSession }

/// The recorder's side, and this process as the agent's.
final class Session {
  let session: CaptureSession
  let tracker: HeapTracker
  init() throws {
    session = try CaptureSession(CaptureOptions(period: nil, heap: .full))
    let rows = ProfileRows(start: Host.now)
    session.attach(rows)
    tracker = HeapTracker(session: session, rows: rows)
    setenv(QPROF_ENV_SESSION, session.path, 1)
    guard qprof_attach() else { throw BenchError.noSession }
  }
}

final class Bench {
  private let workload: Workload
  private let session: CaptureSession
  private let tracker: HeapTracker
  private var writers: [RingWriter] = []
  private var time: UInt64
  private var random: UInt64 = 88_172_645_463_325_252

  /// Begins a process of its own, which looks like an exec of the one before.
  init(_ workload: Workload, _ recorder: Session) throws {
    self.workload = workload
    session = recorder.session
    tracker = recorder.tracker
    time = session.clock.eventTime
    guard qprof_claim_process(0) else { throw BenchError.noSession }
    for thread in 0..<workload.threads {
      let slot = qprof_claim_slot(qprof_gettid(), QPROF_SLOT_HEAP)
      writers.append(RingWriter(slot: slot, workload, thread))
    }
    _ = session.poll(isEnding: true)
  }

  func run(events: Int) -> Result {
    usleep(20_000)
    var cost: Int64 = 0
    var written = 0
    while written < events {
      var isFull = false
      while !isFull {
        for writer in writers {
          random ^= random << 13
          random ^= random >> 7
          random ^= random << 17
          time += 10
          guard writer.hasRoom else {
            isFull = true
            break
          }
          written += writer.step(random, time)
        }
      }
      let start = Host.threadCPUTime
      _ = session.poll()
      cost += (Host.threadCPUTime - start).rawValue
    }
    let nanoseconds = Double(cost) / Double(written)
    let live = tracker.live.count
    return Result(
      workload: workload.name, events: written, nanosecondsPerEvent: nanoseconds,
      millionEventsPerSecond: 1000 / nanoseconds, liveBlocks: live)
  }
}

/// Writes events as an agent does.
final class RingWriter {
  private let slot: UnsafeMutablePointer<qprof_slot>
  private let ring: UnsafeMutableRawPointer
  private let workload: Workload
  private var addresses: [UInt64]
  private var sizes: UInt64 = 16
  private let first: UInt64
  private var knownStacks = 0

  init(slot index: UInt32, _ workload: Workload, _ thread: Int) {
    slot = qprof_slot_at(index)
    ring = UnsafeMutableRawPointer(qprof_ring_at(index))
    self.workload = workload
    first = 0x5555_0000_0000 + UInt64(thread) << 32
    addresses = Array(repeating: 0, count: workload.blocksPerThread)
  }

  var hasRoom: Bool { slot.pointee.head &- slot.pointee.tail < UInt64(QPROF_RING_SIZE) - 512 }

  private func put(_ words: UInt64...) {
    for word in words {
      let offset = Int(slot.pointee.head % UInt64(QPROF_RING_SIZE))
      ring.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
      slot.pointee.head += 8
    }
  }

  /// Frees one block and allocates one.
  /// - Returns: the number of events.
  func step(_ random: UInt64, _ time: UInt64) -> Int {
    if knownStacks < workload.stacks {
      tellStack(knownStacks)
      knownStacks += 1
      return 0
    }
    let index = Int(random >> 20) % addresses.count
    let old = addresses[index]
    let address = first + UInt64(index) * 64
    let stack = (random >> 8) % UInt64(workload.stacks)
    if old != 0 {
      if workload.isFolded {
        put(UInt64(QPROF_EVENT_FREE_LAST.rawValue))
      } else {
        put(time << 3 | UInt64(QPROF_EVENT_FREE.rawValue), old)
      }
    }
    put(
      time << 3 | UInt64(QPROF_EVENT_ALLOCATE.rawValue), address | stack << 48, 16 + random % 512)
    addresses[index] = address
    return old == 0 ? 1 : 2
  }

  private func pad(_ size: UInt64) {
    put(size | UInt64(QPROF_RECORD_PAD.rawValue) << 32)
    slot.pointee.head += size - 8
  }

  private func tellStack(_ index: Int) {
    let frames = (0..<24).map { 0x40_0000 + UInt64(index) * ($0 < 4 ? 16 : 0) + UInt64($0) * 4096 }
    let size = UInt64(MemoryLayout<qprof_stack_record>.size + frames.count * 8)
    let position = slot.pointee.head % UInt64(QPROF_RING_SIZE)
    if position + size > UInt64(QPROF_RING_SIZE) { pad(UInt64(QPROF_RING_SIZE) - position) }
    put(size | UInt64(QPROF_RECORD_STACK.rawValue) << 32, UInt64(frames.count), 0, UInt64(index))
    for frame in frames { put(frame) }
  }
}
