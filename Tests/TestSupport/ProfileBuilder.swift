package import ProfileModel

/// Builds small profiles for tests from stacks written root first.
package struct ProfileBuilder {
  package var profile = Profile()
  package init() {}

  /// Adds one sample whose frames are named, root first, in thread `thread` if one is given.
  package mutating func add(
    _ names: [String], weight: Int64, thread: ID<ThreadInfo>? = nil,
    time: Nanoseconds = Nanoseconds(0)
  ) {
    let stack = stack(names)
    profile.samples.append(Sample(time: time, thread: thread, stack: stack, weight: weight))
  }

  /// The stack whose frames are named, root first; nil for no frames.
  package mutating func stack(_ names: [String]) -> ID<StackNode>? {
    var stack: ID<StackNode>?
    for name in names {
      let string = profile.strings.intern(name)
      let function = profile.functions.intern(
        Function(name: string, systemName: string, file: nil))
      let location = profile.locations.intern(.named(function))
      stack = profile.stacks.intern(StackNode(parent: stack, location: location))
    }
    return stack
  }

  /// Adds a heap site of a process to the heap profile, which is one of mode `full` unless there
  /// is one already.
  package mutating func addSite(
    _ names: [String], process: ID<ProcessImage>, kind: HeapSite.Kind = .block,
    allocated: HeapAmount, freed: HeapAmount = HeapAmount(), atPeak: HeapAmount = HeapAmount(),
    temporary: HeapAmount = HeapAmount()
  ) {
    var site = HeapSite(process: process, kind: kind, stack: stack(names))
    site.allocated = allocated
    site.freed = freed
    site.atPeak = atPeak
    site.temporary = temporary
    var heap = profile.heap ?? HeapProfile(mode: .full)
    heap.sites.append(site)
    profile.heap = heap
  }

  /// Adds a thread of a new process image.
  package mutating func addThread(process: String, pid: Int32, tid: Int32, name: String)
    -> ID<ThreadInfo>
  {
    let image = profile.processes.append(
      ProcessImage(
        pid: pid, parentPID: 1, name: profile.strings.intern(process), start: Nanoseconds(0)))
    return profile.threads.append(
      ThreadInfo(process: image, tid: tid, name: profile.strings.intern(name)))
  }
}
