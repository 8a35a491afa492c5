import ArgumentParser
import Glibc

@main
struct Qprof: ParsableCommand {
  static let version = "0.1.0"

  static let configuration = CommandConfiguration(
    commandName: "qprof",
    abstract: "Show where a native program spends its time.",
    discussion: """
      Records any program, without root and without rebuilding it:

        qprof record -- ./program --its-options
        qprof report
        qprof flame -o flame.svg
      """,
    version: "qprof \(version)",
    subcommands: [Record.self, Report.self, Flame.self, Export.self, Init.self])

  /// Errors are told on standard error, with an exit code. Help, and what a command throws as
  /// `ExitCode`, is left to ArgumentParser.
  static func main() {
    do {
      var command = try parseAsRoot()
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
