import ProfileModel

extension Profile {
  /// Command and losses, a line each, for formats with room for free text.
  var comments: [String] {
    var lines: [String] = []
    if !provenance.command.isEmpty {
      lines.append("command: " + provenance.command.map(shellQuoted).joined(separator: " "))
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

/// The word as a shell reads it back: in single quotes when it has any character with a meaning.
private func shellQuoted(_ word: String) -> String {
  let plain = word.utf8.allSatisfy { byte in
    byte >= 0x80 || Unicode.Scalar(byte).properties.isAlphabetic || (0x30...0x39).contains(byte)
      || "-_./,:=+@%".utf8.contains(byte)
  }
  if plain, !word.isEmpty { return word }
  return "'"
    + word.split(separator: "'", omittingEmptySubsequences: false)
    .joined(separator: "'\\''") + "'"
}
