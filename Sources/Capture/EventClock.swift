import CLinux

/// The clock by which heap events are ordered.
///
/// Usually the processors' time stamp counter. Where the kernel does not trust it, events carry
/// the values of one shared counter instead (`QPROF_ORDER_COUNTED`), which order them but tell no
/// time.
package struct EventClock {
  package let isCounted: Bool
  /// Time stamp counter and `CLOCK_MONOTONIC` at one moment, the session's beginning.
  package let origin: UInt64
  package let start: Int64
  /// Length of a tick of the time stamp counter; better known the longer the session lasts.
  package private(set) var nanosecondsPerTick: Double = 1

  /// Nanoseconds since the start.
  private var lastComparison: Int64 = 0

  /// How long a store may take to be seen by another processor, and more: 20 µs at 5 GHz.
  private static let margin: UInt64 = 100_000

  /// - Parameter isCounted: nil to ask the kernel and the processor.
  package init(isCounted: Bool? = nil) {
    self.isCounted = isCounted ?? !Self.areTimeStampsTrusted
    (origin, start) = Self.pair()
  }

  private static var areTimeStampsTrusted: Bool {
    Syscalls.text("/sys/devices/system/clocksource/clocksource0/current_clocksource") == "tsc\n"
      && qprof_has_invariant_time_stamp()
  }

  /// Compares the two clocks again, ever more seldom.
  mutating func calibrateIfDue() {
    guard !isCounted, Syscalls.monotonicNow() - start > lastComparison * 2 else { return }
    let (ticks, now) = Self.pair()
    guard ticks > origin, now > start else { return }
    lastComparison = now - start
    nanosecondsPerTick = Double(now - start) / Double(ticks - origin)
  }

  /// Both clocks at the same moment: the closest of a few looks.
  private static func pair() -> (ticks: UInt64, time: Int64) {
    var best: (width: UInt64, ticks: UInt64, time: Int64) = (.max, 0, 0)
    for _ in 0..<5 {
      let before = qprof_time_stamp()
      let time = Syscalls.monotonicNow()
      let width = qprof_time_stamp() &- before
      if width < best.width { best = (width, before &+ width / 2, time) }
    }
    return (best.ticks, best.time)
  }

  /// Now, as events are dated: in ticks since the session began, or, where these carry no time, in
  /// nanoseconds.
  package var eventTime: UInt64 {
    isCounted ? UInt64(max(0, Syscalls.monotonicNow() - start)) : qprof_time_stamp() &- origin
  }

  /// The length of so many ticks in nanoseconds.
  package func nanoseconds(_ ticks: UInt64) -> Int64 {
    Int64(min(Double(ticks) * nanosecondsPerTick, 0x1p62))
  }

  package func ticks(_ nanoseconds: Int64) -> UInt64 {
    UInt64(Double(max(0, nanoseconds)) / nanosecondsPerTick)
  }

  /// All events before this are in the rings, or their slots say that they are in flight.
  /// - Parameter order: the last order given out, if events are counted.
  func horizon(order: UInt64) -> UInt64 {
    if isCounted { return order &+ 1 }
    let now = eventTime
    return now > Self.margin ? now - Self.margin : 0
  }
}
