import ProfileModel

extension Profile {
  /// Command, heap and losses, a line each, for formats with room for free text.
  var comments: [String] {
    var lines: [String] = []
    if !provenance.command.isEmpty {
      lines.append("command: \(provenance.commandLine)")
    }
    if let bench = provenance.bench { lines.append("bench: \(bench)") }
    if !provenance.toolVersion.isEmpty {
      lines.append("recorded by qprof \(provenance.toolVersion)")
    }
    for reason in Losses.Reason.allCases where losses.counts[reason] != nil {
      let count = losses[reason]
      let names = losses.processNames[reason] ?? []
      lines.append(
        "lost, \(reason.rawValue): \(count.events) events, weight \(count.weight)"
          + (names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"))
    }
    return lines + (heap?.comments(in: self) ?? [])
  }
}

extension HeapProfile {
  /// How good the numbers are, and what is missing.
  fileprivate func comments(in profile: Profile) -> [String] {
    var lines: [String] = []
    switch mode {
    case .full: lines.append("heap: exact; in use means live at the end of the recording")
    case .sample(let interval):
      lines.append("heap: estimated from allocations drawn about every \(interval.rawValue) bytes")
    case .count: lines.append("heap: totals only, which have no stacks")
    }
    for process in processes {
      let image = profile.processes[process.process]
      let name = "\(profile.strings[image.name]) (pid \(image.pid))"
      if process.lost > 0 { lines.append("lost, heap of \(name): \(process.lost) events") }
      if let reason = process.untracked { lines.append("heap of \(name) not tracked: \(reason)") }
    }
    return lines
  }
}
