import ProfileModel

extension Profile {
  /// Command and losses, a line each, for formats with room for free text.
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
    return lines
  }
}
