import Foundation

extension Bench {
  /// Runs the build step, if there is one, and waits for it. Its output is kept aside and shown
  /// only when it fails: the last 20 lines, in the error.
  package func runBuild() throws(BenchmarkingError) {
    guard let build else { return }
    let ending: Ending
    do {
      ending = try run(
        build.argv, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
        workingDirectory: workingDirectory, keepLines: 20)
    } catch {
      throw .buildNotStarted(bench: name, command: build.text, reason: error.description)
    }
    guard ending.status == 0 else {
      throw .buildFailed(
        bench: name, command: build.text, folder: workingDirectory, status: ending.status,
        lastLines: ending.lastLines)
    }
  }
}
