/// Weight of each process image and its threads.
package struct ProcessTotals: Sendable {
  package struct Process: Sendable {
    package var image: ID<ProcessImage>
    /// That of its threads, and what is known to be in the process only.
    package var tally = Tally()
    /// By weight descending, then tid; threads without samples included.
    package var threads: [Thread] = []
  }
  package struct Thread: Sendable {
    package var thread: ID<ThreadInfo>
    package var tally = Tally()
  }

  /// By weight descending, then pid, then start; processes without samples included.
  package private(set) var processes: [Process]
  /// Samples that name neither a thread nor a process.
  package private(set) var withoutThread = Tally()

  package init(_ profile: Profile) {
    var threads = profile.threads.ids.map { Thread(thread: $0) }
    processes = profile.processes.ids.map { Process(image: $0) }
    for sample in profile.samples {
      let one = Tally(weight: sample.weight, samples: 1)
      if let thread = sample.thread {
        threads[thread.index].tally += one
      } else if let process = sample.process {
        processes[process.index].tally += one
      } else {
        withoutThread += one
      }
    }
    threads.sort { a, b in
      a.tally.weight == b.tally.weight
        ? (profile.threads[a.thread].tid, a.thread) < (profile.threads[b.thread].tid, b.thread)
        : a.tally.weight > b.tally.weight
    }
    for thread in threads {
      let process = profile.threads[thread.thread].process.index
      processes[process].tally += thread.tally
      processes[process].threads.append(thread)
    }
    processes.sort { a, b in
      a.tally.weight == b.tally.weight
        ? (profile.processes[a.image].pid, a.image) < (profile.processes[b.image].pid, b.image)
        : a.tally.weight > b.tally.weight
    }
  }
}
