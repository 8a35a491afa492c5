import Capture
import ProfileModel

/// What unwinding cost, in CPU time of the unwinding thread.
struct UnwindingCost: Encodable {
  var samples = 0
  var frames = 0
  /// Each sample once, at the moment it is taken from its ring.
  var nanoseconds: Int64 = 0
  /// The same for chosen samples, unwound again and again.
  var warmFrames = 0
  var warmNanoseconds: Int64 = 0
}

/// Records `command` and unwinds its samples, without keeping them.
/// - Returns: the costs by name of the process.
func unwindingCosts(of command: Command) throws -> [String: UnwindingCost] {
  let agent = try AgentLibrary.find(in: nil)
  let session = try CaptureSession(CaptureOptions(period: Nanoseconds(4_000_000)))
  let timer = UnwindTimer(session)
  session.attach(timer)
  let target: TargetProcess
  do {
    target = try TargetProcess(
      command, environment: session.environment(for: agent), folder: nil)
  } catch {
    session.finish()
    throw error
  }
  defer { target.release() }
  var pause = Nanoseconds(1_000_000)
  while target.outcome == nil {
    target.wait(pause)
    pause = session.poll()
  }
  session.finish()
  return timer.costs
}

/// Unwinds every sample as ``SampleCollector`` does, between two looks at the thread's clock.
private final class UnwindTimer: CaptureConsumer {
  private(set) var costs: [String: UnwindingCost] = [:]
  private unowned let session: CaptureSession
  private let unwinder = Unwinder()
  private var stack = UnwoundStack()
  private let clockCost = UnwindTimer.costOfClock()

  /// Every so many samples one is repeated: often enough for an average, rarely enough to leave
  /// the caches between the others alone.
  private static let repeatedEvery = 20
  private static let repetitions = 200

  init(_ session: CaptureSession) { self.session = session }

  func captured(_ sample: RawSample, thread: Int32, of process: TracedProcess) {
    var cost = costs[process.name] ?? UnwindingCost()
    cost.nanoseconds += time { unwind(sample, of: process) }
    if stack.metUnknownCode, session.rereadMaps(of: process) {
      cost.nanoseconds += time { unwind(sample, of: process) }
    }
    cost.samples += 1
    cost.frames += stack.addresses.count
    if cost.samples.isMultiple(of: Self.repeatedEvery) {
      cost.warmNanoseconds += time {
        for _ in 0..<Self.repetitions { unwind(sample, of: process) }
      }
      cost.warmFrames += Self.repetitions * stack.addresses.count
    }
    costs[process.name] = cost
  }

  func began(_ process: TracedProcess) {}
  func mappingsChanged(of process: TracedProcess) { unwinder.forget(owner: process.number) }
  func ended(_ process: TracedProcess) {}

  private func unwind(_ sample: RawSample, of process: TracedProcess) {
    unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &stack)
  }

  private func time(_ body: () -> Void) -> Int64 {
    let start = Host.threadCPUTime
    body()
    return max(0, (Host.threadCPUTime - start).rawValue - clockCost)
  }

  /// The thread's clock is a system call, which is not small beside a short stack.
  private static func costOfClock() -> Int64 {
    let looks = 10_000
    let start = Host.threadCPUTime
    for _ in 0..<looks { _ = Host.threadCPUTime }
    return (Host.threadCPUTime - start).rawValue / Int64(looks)
  }
}
