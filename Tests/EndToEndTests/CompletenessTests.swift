import Foundation
import ProfileModel
import TestSupport
import Testing

/// How much weight has a stack down to where its thread began, and why the rest has not. Weight of
/// ticks that were held up belongs to no stack and is left out.
struct StackCompleteness {
  var share = 0.0
  /// Marker and innermost functions of incomplete stacks, with their weight.
  var causes: [String: Int64] = [:]
  var weight: Int64 = 0

  init(_ recorded: Recorded) {
    var complete: Int64 = 0
    for sample in recorded.profile.samples where recorded.isPlaced(sample) {
      weight += sample.weight
      let names = recorded.names(sample)
      if let root = names.last, FrameMarker(label: root) == nil {
        complete += sample.weight
      } else {
        let cause =
          (names.last ?? "no stack") + " at " + names.dropLast().suffix(2).joined(separator: " < ")
        causes[cause, default: 0] += sample.weight
      }
    }
    share = weight == 0 ? 0 : Double(complete) / Double(weight)
  }
}

extension EndToEnd {
  /// Stacks of real programs, which nobody built for profiling.
  @Suite struct CompletenessTests {
    struct Program: Sendable, CustomTestStringConvertible {
      var name: String
      var command: [String]
      var environment: [String: String?] = [:]
      var testDescription: String { name }
    }

    @Test func realProgramsHaveCompleteStacks() throws {
      let folder = try Scratch()
      var table = ["program     complete   weight  why not"]
      for program in try programs(in: folder) {
        let recorded = try Recorded(
          program.command, environment: program.environment, folder: folder.path)
        #expect(recorded.result.ending == .exited(0), "\(program.name): \(recorded.result.error)")
        let found = StackCompleteness(recorded)
        #expect(found.weight > 100, "\(program.name) is too short for a judgement")
        #expect(found.share >= 0.99, "\(program.name): \(found.causes)")
        table += rows(program.name, found)
      }
      print(table.joined(separator: "\n"))
    }

    private func rows(_ name: String, _ found: StackCompleteness) -> [String] {
      let causes = found.causes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      let head =
        name.padding(toLength: 12, withPad: " ", startingAt: 0)
        + String(format: "%7.2f %%  %7d", 100 * found.share, Int(found.weight))
      guard let first = causes.first else { return [head] }
      return [head + "  \(first.value) \(first.key)"]
        + causes.dropFirst().map { String(repeating: " ", count: 31) + "\($0.value) \($0.key)" }
    }

    private func programs(in folder: Scratch) throws -> [Program] {
      try writeInputs(folder)
      let repository = try gitRepository(folder)
      return [
        Program(name: "xz", command: ["xz", "-3", "-T1", "-k", "-c", "input"]),
        Program(name: "zstd", command: ["zstd", "-15", "-q", "-k", "-c", "input"]),
        Program(
          name: "openssl",
          command: ["openssl", "speed", "-seconds", "1", "-bytes", "8192", "sha256", "rsa2048"]),
        Program(
          name: "sqlite3",
          command: [
            "sqlite3", ":memory:",
            """
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000)
            SELECT count(DISTINCT i % 977), sum(length(hex(i))) FROM n;
            """,
          ]),
        Program(
          name: "perl",
          command: [
            "perl", "-e",
            "for my $i (1..8000000) { $h{$i % 1000} .= \"x\" x ($i % 7); $s =~ s/a/b/ }",
          ]),
        Program(
          name: "python3",
          command: [
            "/usr/bin/python3", "-c",
            """
            import json
            text = json.dumps([{"k%d" % i: [i, str(i)]} for i in range(2000)])
            for _ in range(150): json.dumps(json.loads(text), indent=1, sort_keys=True)
            """,
          ]),
        Program(
          name: "g++",
          command: ["g++", "-O2", "-c", try BuiltProducts.workload("templates.cc"), "-o", "t.o"]),
        Program(name: "git log", command: ["git", "-C", repository, "log", "--stat", "-M", "-p"]),
        Program(
          name: "node",
          command: [
            "node", "-e",
            """
            const o = {}; for (let i = 0; i < 12e6; i++) { o['k' + i % 5000] = [i].map(x => x * 2); }
            console.log(JSON.stringify(o).length, Object.keys(o).sort().length);
            """,
          ]),
        Program(name: "panics", command: [try BuiltProducts.workload("panics"), "1"]),
        Program(name: "throws", command: [try BuiltProducts.workload("throws"), "1"]),
        Program(name: "swift", command: [try BuiltProducts.workload("tasks")]),
      ]
    }

    /// Text that compresses neither well nor badly.
    private func writeInputs(_ folder: Scratch) throws {
      var random = RepeatableRandom(seed: 1)
      let words = (0..<4000).map { _ in
        String(
          (0..<Int.random(in: 2...9, using: &random)).map { _ in
            Character(UnicodeScalar(UInt8.random(in: 97...122, using: &random)))
          })
      }
      let text = (0..<1_000_000).map { _ in words[Int.random(in: 0..<words.count, using: &random)] }
      try folder.write(text.joined(separator: " "), "input")
    }

    /// Some hundred commits that rewrite and rename files.
    private func gitRepository(_ folder: Scratch) throws -> String {
      let path = folder("repository")
      var stream = ""
      for commit in 1...300 {
        stream +=
          "commit refs/heads/main\ncommitter A <a@example.org> \(1_000_000_000 + commit) +0000\n"
        stream += "data 6\nchange\n"
        for file in 0..<8 {
          let lines = (0..<300).map { "line \($0 * commit % (17 + file)) of \(file)\n" }.joined()
          stream += "M 644 inline file\(file)\ndata \(lines.utf8.count)\n\(lines)\n"
        }
      }
      try run(["git", "init", "-q", "-b", "main", path])
      try run(["git", "-C", path, "fast-import", "--quiet"], input: stream)
      return path
    }
  }
}
