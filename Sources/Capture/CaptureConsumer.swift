/// Receives what a ``CaptureSession`` finds. Consumers are called in the order of their
/// attaching, and at the end of a process the other way round.
package protocol CaptureConsumer: AnyObject {
  /// A program image attached; it may end without ever meeting a tick.
  func began(_ process: TracedProcess)
  /// A thread of `process` ran for some time; the sample is valid during the call only.
  func captured(_ sample: RawSample, thread: Int32, of process: TracedProcess)
  /// The mappings of `process` changed.
  func mappingsChanged(of process: TracedProcess)
  func renamed(thread: Int32, of process: TracedProcess, to name: String)
  /// All samples and events of `process` have been handed over.
  func ended(_ process: TracedProcess)

  /// A thread of `process` has allocated for the first time.
  func opened(_ ring: HeapRing, of process: TracedProcess)
  /// Takes the events of a process that are ordered before `horizon`, merged from all its rings,
  /// and gives their room back.
  /// - Parameter isOver: nothing more will come: all is to be taken.
  /// - Returns: the number of rings that could not be read and were emptied.
  func drain(
    _ rings: [HeapRing], of process: TracedProcess, before horizon: UInt64, isOver: Bool
  ) -> Int
  /// The thread is gone, and its ring empty.
  func closed(_ ring: HeapRing, of process: TracedProcess)
  /// Some time has passed, in which `process` ran; for looks at it from outside.
  func visited(_ process: TracedProcess)
  /// The profile is about to be written.
  func willWrite()
}

extension CaptureConsumer {
  package func captured(_ sample: RawSample, thread: Int32, of process: TracedProcess) {}
  package func renamed(thread: Int32, of process: TracedProcess, to name: String) {}
  package func opened(_ ring: HeapRing, of process: TracedProcess) {}
  package func drain(
    _ rings: [HeapRing], of process: TracedProcess, before horizon: UInt64, isOver: Bool
  ) -> Int { 0 }
  package func closed(_ ring: HeapRing, of process: TracedProcess) {}
  package func visited(_ process: TracedProcess) {}
  package func willWrite() {}
}
