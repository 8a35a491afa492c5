import ProfileModel

/// A process's heap over time while it is recorded: at most ``capacity`` steps of equal length,
/// which double when they would become more.
struct Timeline {
  private typealias Step = HeapTimeline.Step
  static let capacity = 512

  private let steps: UnsafeMutablePointer<HeapTimeline.Step>
  /// In ticks. The first step begins with the first event.
  private var start: UInt64 = 0
  private var width: UInt64
  private var current = 0
  private var lastResident = -1
  private var hasBegun = false
  /// Of the current step: its end, and what its row will be.
  private(set) var end: UInt64 = 0
  var largest: Int64 = 0
  var allocations: Int64 = 0

  /// - Parameter width: ticks of a step at first.
  init(width: UInt64) {
    self.width = max(1, width)
    steps = .allocate(capacity: Self.capacity)
    steps.initialize(
      repeating: Step(largest: 0, live: 0, resident: 0, allocations: 0), count: Self.capacity)
  }

  func free() { steps.deallocate() }

  /// Ends the current step and those after it before `time`, during which `live` bytes were live.
  @inline(never) mutating func move(to time: UInt64, live: Int64) {
    guard hasBegun else {
      begin(at: time)
      largest = live
      return
    }
    guard time >= end else { return }
    let next = index(of: time)
    guard next > current else { return }  // the step has become longer
    close(live)
    for index in current + 1..<next {
      steps[index].largest = live
      steps[index].live = live
    }
    current = next
    largest = live
    allocations = 0
    end = start &+ UInt64(current + 1) &* width
  }

  /// Notes the resident size at `time`, which may lie ahead of the events.
  mutating func see(resident: Int64, at time: UInt64) {
    if !hasBegun { begin(at: time) }
    let index = index(of: max(time, start))
    steps[index].resident = max(steps[index].resident, resident)
    lastResident = max(lastResident, index)
  }

  private mutating func begin(at time: UInt64) {
    hasBegun = true
    start = time
    end = start &+ width
  }

  /// Writes the current step down.
  private mutating func close(_ live: Int64) {
    steps[current].largest = largest
    steps[current].live = live
    steps[current].allocations = allocations
  }

  /// The step of `time`, which is made to be there.
  private mutating func index(of time: UInt64) -> Int {
    while (time - start) / width >= UInt64(Self.capacity) { halve() }
    return Int((time - start) / width)
  }

  private mutating func halve() {
    steps[current].largest = largest
    steps[current].allocations = allocations
    for index in 0..<Self.capacity {
      guard index < Self.capacity / 2 else {
        steps[index] = Step(largest: 0, live: 0, resident: 0, allocations: 0)
        continue
      }
      let (first, second) = (steps[2 * index], steps[2 * index + 1])
      steps[index] = Step(
        largest: max(first.largest, second.largest), live: second.live,
        resident: max(first.resident, second.resident),
        allocations: first.allocations &+ second.allocations)
    }
    current /= 2
    lastResident = lastResident < 0 ? -1 : lastResident / 2
    width = width &* 2
    largest = steps[current].largest
    allocations = steps[current].allocations
    end = start &+ UInt64(current + 1) &* width
  }

  /// - Parameters:
  ///   - live: bytes live now.
  ///   - time: turns ticks into the time of the recording.
  func result(live: Int64, time: (UInt64) -> Nanoseconds) -> HeapTimeline {
    var result = HeapTimeline()
    guard hasBegun else { return result }
    result.start = time(start)
    result.width = Nanoseconds(max(1, (time(start &+ width) - result.start).rawValue))
    for index in 0...max(current, lastResident) {
      var step = steps[index]
      if index == current {
        step.largest = largest
        step.allocations = allocations
      }
      if index >= current { step.live = live }
      if index > current { step.largest = live }
      result.steps.append(step)
    }
    return result
  }
}
