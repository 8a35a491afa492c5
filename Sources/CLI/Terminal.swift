import ArgumentParser
import Foundation
import ProfileModel
import Reporting

/// Standard output and standard error.
enum Terminal {
  /// How a report looks on standard output: cut and coloured only where a person reads it.
  static var style: ReportText.Style {
    guard isatty(STDOUT_FILENO) == 1 else { return ReportText.Style() }
    let environment = ProcessInfo.processInfo.environment
    let wantsColor =
      (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
    return ReportText.Style(width: width(environment), usesColor: wantsColor)
  }

  /// Says what is wrong or worth knowing, on standard error.
  static func complain(_ message: String) {
    let lines = message.split(separator: "\n", omittingEmptySubsequences: false)
    let text = lines.map { VisibleText.of(String($0)) }.joined(separator: "\n")
    FileHandle.standardError.write(Data("qprof: \(text)\n".utf8))
  }

  /// Writes all of `bytes` to standard output. A reader that has gone, as in `qprof report | head`,
  /// is no error worth a word.
  static func write(_ bytes: Data) throws {
    do {
      try FileHandle.standardOutput.write(contentsOf: bytes)
    } catch {
      guard errno == EPIPE else {
        throw CLIError.cannotWrite(path: "standard output", reason: error.localizedDescription)
      }
      throw ExitCode(ExitCodes.brokenPipe)
    }
  }

  private static func width(_ environment: [String: String]) -> Int? {
    var size = winsize()
    if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return max(Int(size.ws_col), 40)
    }
    return environment["COLUMNS"].flatMap { Int($0) }.map { max($0, 40) }
  }
}
