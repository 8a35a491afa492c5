package import Capture
package import ProfileModel

/// Follows the heaps of all processes of a recording, and puts what it knows into the profile
/// whenever that is written.
package final class HeapTracker {
  private unowned let session: CaptureSession
  private let rows: ProfileRows
  private let mode: HeapProfile.Mode
  private let resolver: StackResolver
  private var processes: [Int: ProcessHeap] = [:]
  /// What is final: of processes that have ended.
  private var ended: HeapProfile

  /// Attaches itself to `recorder`, whose options must ask for the heap.
  package convenience init(_ recorder: Recorder) {
    self.init(session: recorder.session, rows: recorder.rows)
  }

  package init(session: CaptureSession, rows: ProfileRows) {
    self.session = session
    self.rows = rows
    mode = session.options.heap ?? .full
    resolver = StackResolver(session: session, rows: rows)
    ended = HeapProfile(mode: mode)
    session.attach(self)
  }

  /// What a person watching wants to know, of all processes that still run.
  package var live: HeapAmount {
    var sum = HeapAmount()
    for heap in processes.values { sum += heap.liveAmount }
    return sum
  }

  /// Events that contradicted others, of processes that still run.
  var contradictions: Int64 {
    processes.values.reduce(0) { $0 + $1.engine.pointee.contradictions }
  }
}

extension HeapTracker: CaptureConsumer {
  package func began(_ process: TracedProcess) { _ = heap(of: process) }

  package func opened(_ ring: HeapRing, of process: TracedProcess) {
    heap(of: process).open(ring, id: rows.thread(ring.tid, of: process))
  }

  package func drain(
    _ rings: [HeapRing], of process: TracedProcess, before horizon: UInt64, isOver: Bool
  ) -> Int {
    let heap = heap(of: process)
    heap.setClock(session.clock)
    return heap.drain(rings, before: horizon)
  }

  package func closed(_ ring: HeapRing, of process: TracedProcess) {
    heap(of: process).end(ring)
  }

  package func visited(_ process: TracedProcess) {
    heap(of: process).visit(session.clock, now: Host.now - rows.start) {
      self.session.heapFacts(of: process)
    }
  }

  package func mappingsChanged(of process: TracedProcess) { resolver.forget(process) }

  package func ended(_ process: TracedProcess) {
    resolver.forget(process)
    guard let heap = processes.removeValue(forKey: process.number) else { return }
    heap.append(to: &ended, session, rows)
  }

  package func willWrite() {
    var profile = ended
    for heap in processes.sorted(by: { $0.key < $1.key }).map(\.value) {
      heap.append(to: &profile, session, rows)
    }
    rows.profile.heap = profile
  }

  private func heap(of process: TracedProcess) -> ProcessHeap {
    if let known = processes[process.number] { return known }
    let heap = ProcessHeap(process, resolver: resolver, mode: mode, clock: session.clock)
    processes[process.number] = heap
    return heap
  }
}
