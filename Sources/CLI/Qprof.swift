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

  /// Errors of qprof's libraries are one line on standard error and an exit code; everything
  /// else, also what a command throws as `ExitCode`, is ArgumentParser's.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      guard let code = ExitCodes.code(of: error) else { exit(withError: error) }
      Terminal.complain("\(error)")
      Glibc.exit(code)
    }
  }
}
