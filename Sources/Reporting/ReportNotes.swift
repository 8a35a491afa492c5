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

  /// One line: `1,250 samples, 5.00 s of CPU time in 1 process`, or of a heap `332,655
  /// allocations, 4.82 MiB at peak, 3.71 MiB live at the end`.
  package var summary: String {
    var parts: [String] = []
    if heap == nil || sampleCount ?? 0 > 0 {
      let samples = Quantities.grouped(Double(sampleCount ?? 0))
      let time = sampledCPUTime.map { ", " + Quantities.time($0) + " of CPU time" } ?? ""
      let many = processes.count == 1 ? "1 process" : "\(processes.count) processes"
      parts.append("\(samples) samples\(time) in \(many)")
    }
    if let heap {
      let totals = heap.totals
      parts.append("\(Quantities.grouped(Double(totals.allocated.count))) allocations")
      if heap.mode != .count {
        parts.append("\(Quantities.size(totals.peaks.bytes)) at peak")
        parts.append(
          "\(Quantities.size(heap.siteTotals.allocated.bytes &- heap.siteTotals.freed.bytes)) live at the end"
        )
      }
    }
    return parts.joined(separator: ", ")
  }
}
