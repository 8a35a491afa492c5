/// What a program allocated, where, and what became of it.
///
/// Unlike samples, which are kept one by one, events are summed while the program runs: the size
/// of a heap profile grows with the number of distinct stacks and not with that of allocations.
package struct HeapProfile: Hashable, Sendable {
  package enum Mode: Hashable, Sendable {
    /// Every event with its stack: all figures are exact.
    case full
    /// Totals are exact. Sites are estimated from allocations drawn with a chance of
    /// `1 − exp(−size / interval)` (a Poisson process over the allocated bytes).
    case sample(interval: Bytes)
    /// Totals only.
    case count
  }
  package var mode: Mode
  /// Each process, kind and stack once.
  package var sites: [HeapSite] = []
  package var processes: [HeapProcess] = []
  package var threads: [HeapThread] = []
  /// The kind of the sites that a profile's samples are made of, where they are.
  package var viewedKind: HeapSite.Kind?

  package init(mode: Mode) { self.mode = mode }
}

/// A number of blocks and their sizes together, as asked for by the program.
package struct HeapAmount: Hashable, Sendable {
  package var count: Int64
  package var bytes: Int64
  package init(count: Int64 = 0, bytes: Int64 = 0) {
    self.count = count
    self.bytes = bytes
  }
}

/// All allocations that one stack made.
package struct HeapSite: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable, CaseIterable {
    /// From the malloc family.
    case block
    /// From `mmap` and `mremap` as the program called them.
    case mapping
    /// Growth of the program break by `brk` and `sbrk` as the program called them.
    case programBreak = "program break"
  }
  package var process: ID<ProcessImage>
  package var kind: Kind
  /// Leaf of the stack: the caller of the allocation function. Nil where no stack is known.
  package var stack: ID<StackNode>?
  package var allocated = HeapAmount()
  /// Of these, those given back.
  package var freed = HeapAmount()
  /// Live when the process's heap was largest.
  package var atPeak = HeapAmount()
  /// Freed by the thread that allocated them, as its next action.
  package var temporary = HeapAmount()
  /// In a sampled profile: allocations drawn, and the variances of the estimates above
  /// (Horvitz and Thompson, J. Am. Stat. Assoc. 47, 1952: Σ x²(1 − p)/p²). Zero otherwise.
  package var drawn: Int64 = 0
  package var countVariance: Double = 0
  package var bytesVariance: Double = 0

  package init(process: ID<ProcessImage>, kind: Kind, stack: ID<StackNode>?) {
    self.process = process
    self.kind = kind
    self.stack = stack
  }

  /// Not freed when the process ended or the recording did.
  package var live: HeapAmount {
    HeapAmount(count: allocated.count &- freed.count, bytes: allocated.bytes &- freed.bytes)
  }
}

/// Totals of one program image in one process: of its blocks, where nothing else is said.
package struct HeapProcess: Hashable, Sendable {
  package var process: ID<ProcessImage>
  package var allocated = HeapAmount()
  /// In the modes `sample` and `count` the bytes freed are not known, and 0 here.
  package var freed = HeapAmount()
  /// The high-water mark, and when it was reached first. Zero in mode `count`.
  package var peak = HeapAmount()
  package var peakTime = Nanoseconds(0)
  package var temporary = HeapAmount()
  /// Calls that returned no memory.
  package var failed: Int64 = 0
  /// Frees of blocks whose allocation was not seen: from before the agent started, or of the
  /// process that forked this one.
  package var unknownFrees: Int64 = 0
  /// Calls passed over because they came from a signal handler that had interrupted the agent.
  package var reentrant: Int64 = 0
  /// Events dropped because the recorder did not keep up, or no ring was free.
  package var lost: Int64 = 0
  /// Stacks whose beginning is missing, counted by allocation.
  package var truncated: Int64 = 0
  /// Why blocks are not tracked: the program defines malloc itself. Nil when they are.
  package var untracked: String?
  /// By size: bucket n holds sizes from 2ⁿ to 2ⁿ⁺¹ − 1 bytes, bucket 0 also size 0.
  package var sizes: [HeapAmount] = []
  /// By lifetime: bucket n holds 2ⁿ to 2ⁿ⁺¹ − 1 nanoseconds. Of freed blocks that were not
  /// temporary. Empty where not measured.
  package var lifetimes: [HeapAmount] = []
  package var timeline = HeapTimeline()
  /// What the resident memory consisted of when it was largest.
  package var residency: HeapResidency?

  package init(process: ID<ProcessImage>) { self.process = process }

  package var live: HeapAmount {
    HeapAmount(count: allocated.count &- freed.count, bytes: allocated.bytes &- freed.bytes)
  }
}

package struct HeapThread: Hashable, Sendable {
  package var thread: ID<ThreadInfo>
  package var allocated = HeapAmount()
  /// By this thread, whoever allocated them.
  package var freed = HeapAmount()
  package var temporary = HeapAmount()
  package init(thread: ID<ThreadInfo>) { self.thread = thread }
}

/// A process's heap over time, in steps of equal length. Long runs have longer steps, not more.
package struct HeapTimeline: Hashable, Sendable {
  package struct Step: Hashable, Sendable {
    /// The most that was live during the step.
    package var largest: Int64
    /// Live at its end.
    package var live: Int64
    /// The largest resident size seen; 0 when nobody looked.
    package var resident: Int64
    package var allocations: Int64
    package init(largest: Int64, live: Int64, resident: Int64, allocations: Int64) {
      self.largest = largest
      self.live = live
      self.resident = resident
      self.allocations = allocations
    }
  }
  /// Of the first step, since the start of the recording.
  package var start = Nanoseconds(0)
  package var width = Nanoseconds(0)
  package var steps: [Step] = []
  package init() {}
}

/// The parts of a process's resident memory at one moment, as the kernel counts them
/// (`/proc/PID/status`), and what of it qprof can explain.
package struct HeapResidency: Hashable, Sendable {
  package var time = Nanoseconds(0)
  /// `RssAnon`, `RssFile` and `RssShmem`.
  package var anonymous = Bytes(0)
  package var file = Bytes(0)
  package var shared = Bytes(0)
  /// Live blocks at that time.
  package var heap = Bytes(0)
  /// Private memory of the agent, part of `anonymous`, and its rings, part of `shared`.
  package var agent = Bytes(0)
  package var rings = Bytes(0)
  package init() {}
}
