package import Capture
package import ProfileModel

/// Adds captured stacks to a profile as samples.
package final class SampleCollector {
  /// Number and weight of all samples so far; the profile holds only those not yet written.
  package private(set) var sampleCount: Int64 = 0
  package private(set) var totalWeight: Int64 = 0

  private unowned let session: CaptureSession
  private let rows: ProfileRows
  private let unwinder = Unwinder()
  /// Weight of one signal when nothing delayed it: above 1 when the tick is longer than the period.
  private let ordinaryWeight: Int64
  private var stack = UnwoundStack()

  /// A weight above this many ticks means that the signal was held up: it tells how long, but not
  /// where the time went.
  private static let longestDelayInTicks: Int64 = 4

  private let period: Nanoseconds

  /// Attaches itself to `recorder`, whose options must ask for samples.
  package init(_ recorder: Recorder) {
    session = recorder.session
    rows = recorder.rows
    period = session.options.period ?? Nanoseconds(1)
    ordinaryWeight = max(1, (Host.tick.rawValue + period.rawValue - 1) / period.rawValue)
    rows.profile.period = .cpu(period)
    session.attach(self)
  }

  /// Weight of all samples as CPU time.
  package var cpuTime: Nanoseconds { Nanoseconds(totalWeight * period.rawValue) }
}

extension SampleCollector: CaptureConsumer {
  package func began(_ process: TracedProcess) {}

  package func captured(_ sample: RawSample, thread tid: Int32, of process: TracedProcess) {
    unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &stack)
    if stack.metUnknownCode, session.rereadMaps(of: process) {
      unwinder.unwind(sample, in: process.addresses, owner: process.number, into: &stack)
    }
    let thread = rows.thread(tid, of: process)
    let time = Nanoseconds(max(0, sample.time - rows.start.rawValue))
    var weight = Int64(sample.weight)
    if weight > ordinaryWeight * Self.longestDelayInTicks {
      let held = weight - ordinaryWeight
      weight = ordinaryWeight
      append(Sample(time: time, thread: thread, stack: rows.stack(.signalBlocked), weight: held))
    }
    let node = rows.stack(stack, of: process)
    append(Sample(time: time, thread: thread, stack: node, weight: weight))
    sampleCount += 1
  }

  package func mappingsChanged(of process: TracedProcess) {
    unwinder.forget(owner: process.number)
  }

  package func ended(_ process: TracedProcess) {}

  private func append(_ sample: Sample) {
    rows.profile.samples.append(sample)
    totalWeight += sample.weight
  }
}
