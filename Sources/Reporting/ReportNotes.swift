import ProfileModel

extension Report {
  /// What a reader must know before believing the numbers: advice, then what was lost. Each note
  /// is a sentence or two, and says what to do.
  package var notes: [String] {
    let lost = Losses.Reason.allCases.filter { losses.counts[$0] != nil }.map { reason in
      let weight = losses[reason].weight
      return losses.message(reason, time: weight == 0 ? nil : quantities.text(Double(weight)))
    }
    return advice.map(\.message) + heapAdvice.map(\.message) + lost
  }

  /// One line: `1,250 samples, 5.00 s of CPU time in 1 process`.
  package var summary: String {
    let samples = Quantities.grouped(Double(sampleCount ?? 0))
    let time = sampledCPUTime.map { ", " + Quantities.time($0) + " of CPU time" } ?? ""
    let many = processes.count == 1 ? "1 process" : "\(processes.count) processes"
    return "\(samples) samples\(time) in \(many)"
  }
}
