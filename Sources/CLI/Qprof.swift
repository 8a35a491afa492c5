import ArgumentParser
import Glibc

@main
struct Qprof: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "qprof",
    abstract: "Show where a native program spends its time and its memory.",
    discussion: """
      Records any program, without root and without rebuilding it:

        qprof record -- ./program --its-options
        qprof record --heap -- ./program --its-options
        qprof report
        qprof flame -o flame.svg
      """,
    version: "qprof \(version)",
    subcommands: [Record.self, Report.self, Flame.self, Export.self, Init.self])

  /// Keeps the arguments of a recorded command away from the parser, whose time grows with their
  /// square: it gets the first word after `--` only.
  private static func parse(_ words: [String]) throws -> any ParsableCommand {
    guard words.first == "record" else { return try parseAsRoot(words) }
    let words = HeapOption.spelledOut(words)
    guard let separator = words.firstIndex(of: "--") else { return try parseAsRoot(words) }
    let command = try parseAsRoot(Array(words.prefix(separator + 2)))
    guard var record = command as? Record else { return command }
    record.command = Array(words[separator...])
    return record
  }

  /// Errors are told on standard error, with an exit code. Help, and what a command throws as
  /// `ExitCode`, is left to ArgumentParser.
  static func main() {
    do {
      var command = try parse(Array(CommandLine.arguments.dropFirst()))
      try command.run()
    } catch {
      if let code = ExitCodes.code(of: error) {
        Terminal.complain("\(error)")
        Glibc.exit(code)
      }
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      Terminal.complain(String(fullMessage(for: error).trimmingPrefix("Error: ")))
      Glibc.exit(ExitCodes.usage)
    }
  }
}
