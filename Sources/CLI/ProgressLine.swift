import Capture
import Foundation
import HeapTracker
import ProfileModel
import Sampler

/// One line on the terminal that follows the recording; nothing anywhere else.
final class ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var last = Nanoseconds(0)
  private static let interval = Nanoseconds(250_000_000)

  func show(_ progress: Recorder.Progress, _ samples: SampleCollector?, _ heap: HeapTracker?) {
    guard isTerminal, progress.elapsed - last >= Self.interval else { return }
    last = progress.elapsed
    var parts = [
      Quantities.time(progress.elapsed), many(progress.processes, "process", "es"),
      many(progress.threads, "thread", "s"),
    ]
    if let samples {
      parts.append("\(samples.sampleCount) samples")
      parts.append("\(Quantities.time(samples.cpuTime)) of CPU time")
    }
    if let heap {
      let live = heap.live
      parts.append("\(Quantities.size(live.bytes)) live in \(many(Int(live.count), "block", "s"))")
    }
    if progress.lost > 0 { parts.append("\(progress.lost) LOST") }
    write("\r\u{1b}[Kqprof: " + parts.joined(separator: ", "))
  }

  private func many(_ count: Int, _ noun: String, _ ending: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : ending)"
  }

  func clear() { if isTerminal, last > Nanoseconds(0) { write("\r\u{1b}[K") } }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
