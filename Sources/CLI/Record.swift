import ArgumentParser

struct Record: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run a command and record where it spends its time.")

  func run() throws {
    throw CleanExit.message("not part of this build")
  }
}
