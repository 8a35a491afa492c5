import Foundation
import ProfileModel
import Sampler

/// One line on the terminal that follows the recording; nothing anywhere else.
final class ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var last = Nanoseconds(0)
  private static let interval = Nanoseconds(250_000_000)

  func show(_ progress: CPURecorder.Progress) {
    guard isTerminal, progress.elapsed - last >= Self.interval else { return }
    last = progress.elapsed
    let cpu = Quantities.time(progress.cpuTime)
    write(
      "\r\u{1b}[Kqprof: \(Quantities.time(progress.elapsed)), \(cpu) of CPU time in "
        + "\(many(progress.processes, "process", "es")), \(many(progress.threads, "thread", "s")), "
        + "\(progress.samples) samples at \(Int(progress.effectiveRate)) Hz"
        + (progress.lost > 0 ? ", \(progress.lost) LOST" : ""))
  }

  private func many(_ count: Int, _ noun: String, _ ending: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : ending)"
  }

  func clear() { if isTerminal, last > Nanoseconds(0) { write("\r\u{1b}[K") } }

  private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
