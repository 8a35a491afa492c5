/// Samples and everything they refer to, as column tables.
///
/// The shape is pprof's, with one change: stacks are a prefix tree (``StackNode``), because a
/// profiler sees the same callers again and again. A profile starts with addresses only; a later
/// step fills in ``Location/lines`` and changes nothing else.
package struct Profile: Sendable {
  package var strings = InternTable<String>()
  package var mappings = InternTable<Mapping>()
  package var functions = InternTable<Function>()
  package var locations = LocationTable()
  package var stacks = InternTable<StackNode>()
  package var processes = Table<ProcessImage>()
  package var threads = Table<ThreadInfo>()
  package var samples: [Sample] = []
  /// Nil when allocations were not tracked.
  package var heap: HeapProfile?

  /// What one unit of ``Sample/weight`` is: `samples/count` for a recording of qprof.
  package var valueType = ValueType(kind: "samples", unit: "count")
  /// What one unit of weight stands for: `cpu/nanoseconds` and its length. Nil when unknown, as
  /// for folded stacks.
  package var period: Period?
  package var provenance = Provenance()
  package var losses = Losses()

  package init() {}
}

/// A kind of number and its unit, as pprof names them: `cpu` in `nanoseconds`.
package struct ValueType: Hashable, Sendable {
  package var kind: String
  package var unit: String
  package init(kind: String, unit: String) {
    self.kind = kind
    self.unit = unit
  }
}

/// The amount of `type` for which one unit of sample weight stands.
package struct Period: Hashable, Sendable {
  package var type: ValueType
  package var value: Int64
  package init(type: ValueType, value: Int64) {
    self.type = type
    self.value = value
  }
  /// One unit of weight is this much time on a CPU.
  package static func cpu(_ length: Nanoseconds) -> Period {
    Period(type: ValueType(kind: "cpu", unit: "nanoseconds"), value: length.rawValue)
  }
}

/// A stretch of executable code from one file, in that file's own addresses, so that all
/// processes that run the file share the row.
package struct Mapping: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case file
    /// The file was deleted or replaced while it was mapped.
    case deleted
    case vdso
    /// Code without a file: written by a JIT compiler.
    case anonymous
  }
  package var kind: Kind
  /// Path as the kernel lists it; `[vdso]`, `[anonymous]` where there is none.
  package var path: ID<String>
  package var buildID: BuildID?
  /// The executable segment: `p_vaddr`, its end, and `p_offset`.
  package var start: FileAddress
  package var end: FileAddress
  package var offset: FileOffset

  package init(
    kind: Kind, path: ID<String>, buildID: BuildID?, start: FileAddress, end: FileAddress,
    offset: FileOffset
  ) {
    self.kind = kind
    self.path = path
    self.buildID = buildID
    self.start = start
    self.end = end
    self.offset = offset
  }
}

package struct Function: Hashable, Sendable {
  /// Demangled.
  package var name: ID<String>
  /// As the symbol table has it.
  package var systemName: ID<String>
  package var file: ID<String>?
  package var startLine: Int32

  package init(name: ID<String>, systemName: ID<String>, file: ID<String>?, startLine: Int32 = 0) {
    self.name = name
    self.systemName = systemName
    self.file = file
    self.startLine = startLine
  }
}

/// One node of the prefix tree of stacks: `location`, called from `parent`. A root has none.
package struct StackNode: Hashable, Sendable {
  package var parent: ID<StackNode>?
  package var location: ID<Location>
  package init(parent: ID<StackNode>?, location: ID<Location>) {
    self.parent = parent
    self.location = location
  }
}

/// One program run by one process: an exec starts a new row under the same pid.
package struct ProcessImage: Hashable, Sendable {
  package var pid: Int32
  package var parentPID: Int32
  /// Short name, as `/proc/PID/comm`.
  package var name: ID<String>
  package var start: Nanoseconds
  package var end: Nanoseconds?

  package init(
    pid: Int32, parentPID: Int32, name: ID<String>, start: Nanoseconds, end: Nanoseconds? = nil
  ) {
    self.pid = pid
    self.parentPID = parentPID
    self.name = name
    self.start = start
    self.end = end
  }
}

package struct ThreadInfo: Hashable, Sendable {
  package var process: ID<ProcessImage>
  package var tid: Int32
  package var name: ID<String>
  package init(process: ID<ProcessImage>, tid: Int32, name: ID<String>) {
    self.process = process
    self.tid = tid
    self.name = name
  }
}

package struct Sample: Hashable, Sendable {
  package var time: Nanoseconds
  /// Nil for imported profiles that do not say.
  package var thread: ID<ThreadInfo>?
  /// Set where no thread is, if known: amounts of memory are sums over a process's threads.
  package var process: ID<ProcessImage>?
  /// Leaf of the stack; nil for a sample of which nothing but its weight is known.
  package var stack: ID<StackNode>?
  /// In units of ``Profile/valueType``. A signal of qprof's timer weighs `1 + si_overrun`.
  package var weight: Int64

  package init(
    time: Nanoseconds, thread: ID<ThreadInfo>?, stack: ID<StackNode>?, weight: Int64
  ) {
    self.time = time
    self.thread = thread
    self.stack = stack
    self.weight = weight
  }
}

extension Profile {
  /// The process that a sample was taken in; nil where that is not known.
  package func process(of sample: Sample) -> ID<ProcessImage>? {
    sample.thread.map { threads[$0].process } ?? sample.process
  }
}
