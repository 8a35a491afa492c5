package import ProfileModel

/// What the agents of a session do.
package struct CaptureOptions: Hashable, Sendable {
  /// CPU time between two samples of a thread. Nil when CPU time is not sampled.
  package var period: Nanoseconds?
  /// Nil when allocations are not tracked.
  package var heap: HeapProfile.Mode?

  package init(period: Nanoseconds?, heap: HeapProfile.Mode? = nil) {
    self.period = period
    self.heap = heap
  }
}
