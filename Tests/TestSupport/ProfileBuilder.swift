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
    var stack: ID<StackNode>?
    for name in names {
      let string = profile.strings.intern(name)
      let function = profile.functions.intern(
        Function(name: string, systemName: string, file: nil))
      let location = profile.locations.intern(.named(function))
      stack = profile.stacks.intern(StackNode(parent: stack, location: location))
    }
    profile.samples.append(Sample(time: time, thread: thread, stack: stack, weight: weight))
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
