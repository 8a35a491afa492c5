import Foundation
import Testing

@testable import Benchmarking

struct BenchBuildTests {
  private func bench(_ build: Command?, cwd: String = "/", env: [String: String] = [:]) -> Bench {
    Bench(
      name: "b", module: "m", build: build, command: .arguments(["true"]), environment: env,
      workingDirectory: cwd)
  }

  private func failure(of bench: Bench) -> BenchmarkingError? {
    #expect(throws: BenchmarkingError.self) { try bench.runBuild() }
  }

  @Test func nothingToBuildIsFine() throws {
    try bench(nil).runBuild()
    try bench(.arguments(["true"])).runBuild()
  }

  @Test func statusAndBothStreamsAreInTheError() {
    let script = "echo first; echo second >&2; exit 3"
    #expect(
      failure(of: bench(.shell(script)))
        == .buildFailed(
          bench: "b", command: script, folder: "/", status: 3, lastLines: ["first", "second"]))
    #expect(
      failure(of: bench(.shell(script)))?.description == """
        the build of bench 'b' failed with status 3; in /, run: echo first; echo second >&2; exit 3
          | first
          | second
        """)
  }

  @Test func onlyTheEndOfALongOutputIsKept() {
    let script = "seq 200000; exit 1"
    #expect(
      failure(of: bench(.shell(script)))
        == .buildFailed(
          bench: "b", command: script, folder: "/", status: 1,
          lastLines: (199_981...200_000).map(String.init)))
  }

  @Test func deathBySignalIs128AndItsNumber() {
    #expect(
      failure(of: bench(.shell("kill -TERM $$")))
        == .buildFailed(
          bench: "b", command: "kill -TERM $$", folder: "/", status: 128 + 15, lastLines: []))
  }

  @Test func runsInItsFolderWithItsEnvironmentAndNoInput() {
    let script = "pwd; echo $WORD $HOME; cat; exit 1"
    let bench = bench(.shell(script), cwd: "/usr/lib", env: ["WORD": "a b", "HOME": "/home"])
    #expect(
      failure(of: bench)
        == .buildFailed(
          bench: "b", command: script, folder: "/usr/lib", status: 1,
          lastLines: ["/usr/lib", "a b /home"]))
  }

  @Test func aMissingProgramOrFolderIsNamed() {
    let program = failure(of: bench(.arguments(["no-such-builder", "x"])))
    #expect(program?.description.contains("failed with status 127") == true)
    #expect(program?.description.contains("no-such-builder: not found") == true)
    let folder = failure(of: bench(.arguments(["true"]), cwd: "/no/such/folder"))
    #expect(folder?.description.contains("/no/such/folder") == true)
  }
}
