import ProfileModel

extension Profile {
  /// Checks what a profile promises to its users, so that none of them needs to: every id exists,
  /// parents come before their children, weights are not negative, and no sum of weights, weights
  /// times period, or times can overflow. Throws the first rule that does not hold.
  func checkRules() throws(BrokenRule) {
    try checkMappings()
    try checkFunctions()
    try checkLocations()
    try checkStacks()
    try checkProcessesAndThreads()
    try checkSamples()
    try checkProvenance()
  }

  private func checkMappings() throws(BrokenRule) {
    for (row, mapping) in mappings.rows.enumerated() {
      try check(mapping.path, in: strings.count, "mapping \(row): path")
      guard mapping.start <= mapping.end else {
        throw BrokenRule("mapping \(row): ends before its start")
      }
    }
  }

  private func checkFunctions() throws(BrokenRule) {
    for (row, function) in functions.rows.enumerated() {
      try check(function.name, in: strings.count, "function \(row): name")
      try check(function.systemName, in: strings.count, "function \(row): system name")
      try check(function.file, in: strings.count, "function \(row): file")
    }
  }

  private func checkLocations() throws(BrokenRule) {
    for id in locations.ids {
      let location = locations[id]
      switch location.place {
      case .code(let mapping, _):
        try check(mapping, in: mappings.count, "location \(id.index): mapping")
      case .named(let function):
        try check(function, in: functions.count, "location \(id.index): function")
      case .unmapped, .marker: break
      }
      for line in location.lines {
        try check(line.function, in: functions.count, "location \(id.index): function of a line")
      }
    }
  }

  private func checkStacks() throws(BrokenRule) {
    for (row, node) in stacks.rows.enumerated() {
      try check(node.location, in: locations.count, "stack \(row): location")
      try check(node.parent, in: row, "stack \(row): parent")
    }
  }

  private func checkProcessesAndThreads() throws(BrokenRule) {
    for (row, process) in processes.rows.enumerated() {
      try check(process.name, in: strings.count, "process \(row): name")
      try check(process.start, "process \(row): start")
      if let end = process.end { try check(end, "process \(row): end") }
    }
    for (row, thread) in threads.rows.enumerated() {
      try check(thread.process, in: processes.count, "thread \(row): process")
      try check(thread.name, in: strings.count, "thread \(row): name")
    }
  }

  private func checkSamples() throws(BrokenRule) {
    var total: Int64 = 0
    for (row, sample) in samples.enumerated() {
      try check(sample.thread, in: threads.count, "sample \(row): thread")
      try check(sample.process, in: processes.count, "sample \(row): process")
      try check(sample.stack, in: stacks.count, "sample \(row): stack")
      try check(sample.time, "sample \(row): time")
      guard sample.weight >= 0 else {
        throw BrokenRule("sample \(row): weight \(sample.weight) is negative")
      }
      let (sum, overflow) = total.addingReportingOverflow(sample.weight)
      guard !overflow else { throw BrokenRule("sample \(row): the sum of all weights overflows") }
      total = sum
    }
    guard let period else { return }
    guard period.value > 0, !total.multipliedReportingOverflow(by: period.value).overflow else {
      throw BrokenRule("period \(period.value) is not positive or too large for the weights")
    }
  }

  private func checkProvenance() throws(BrokenRule) {
    try check(provenance.duration, "duration")
    if let cpuTime = provenance.cpuTime { try check(cpuTime, "CPU time") }
    for (name, number) in [
      ("start time", provenance.startTime), ("requested rate", provenance.requestedRate),
      ("effective rate", provenance.effectiveRate),
    ] {
      // The year 9999 in seconds since 1970; a rate is far below that too.
      guard number >= 0, number < 253_402_300_800 else {
        throw BrokenRule("\(name) \(number) is out of range")
      }
    }
  }

  private func check<Row>(_ id: ID<Row>?, in count: Int, _ what: String) throws(BrokenRule) {
    guard let id else { return }
    guard id.index >= 0, id.index < count else {
      throw BrokenRule("\(what) \(id.index) is none of the \(count) that are possible here")
    }
  }

  /// Two times may be added or subtracted without overflow.
  private func check(_ time: Nanoseconds, _ what: String) throws(BrokenRule) {
    guard time.rawValue.magnitude < 1 << 62 else {
      throw BrokenRule("\(what) of \(time.rawValue) ns is out of range")
    }
  }
}
