import Foundation
import ProfileModel
import TestSupport
import Testing

extension EndToEnd {
  /// Programs as people use them.
  @Suite struct HeapProgramsTests {
    struct Program: Sendable, CustomTestStringConvertible {
      /// The process that is meant.
      var testDescription: String
      /// A script for bash, in an empty folder.
      var script: String
      /// Fewer allocations than this would mean that something was missed.
      var least: Int64
    }

    private static let programs = [
      Program(
        testDescription: "git",
        script: """
          export GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
          export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b
          export GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
          git init -q . && seq 1000 > numbers && git add numbers && git commit -q -m one
          git mv numbers renamed && git commit -q -m two && git log -p --stat | cat; exit 4
          """, least: 200),
      Program(
        testDescription: "python3",
        script: """
          PYTHONMALLOC=malloc exec /usr/bin/python3 -c 'import json
          print(json.loads(json.dumps({str(i): [i, i / 7] for i in range(5000)}))["4999"])
          raise SystemExit("gone")'
          """, least: 50_000),
      Program(
        testDescription: "cc1",
        script: """
          echo 'int f(int x) { return x * 7; } int g(void) { return y; }' > a.c
          gcc -O2 -c a.c -o a.o; echo $?; sed -i '$s/y/1/' a.c; gcc -O2 -c a.c -o - -S
          """, least: 1000),
      Program(
        testDescription: "sqlite3",
        script: """
          exec sqlite3 -bail :memory: 'create table t(a primary key, b); insert into t select value,
          hex(value) from generate_series(1, 20000); select count(*), max(b) from t; select x from t'
          """, least: 20_000),
      Program(testDescription: "tasks", script: "$W/tasks 5", least: 100),
      Program(testDescription: "panics", script: "$W/panics 0.3 | sed 's/[0-9]*$//'", least: 10),
    ]

    @Test(arguments: programs) func nothingChangesAndAllIsSeen(program: Program) throws {
      let workloads = URL(fileURLWithPath: try BuiltProducts.workload("panics"))
        .deletingLastPathComponent().path
      let environment = ["W": workloads, "LC_ALL": "C"]
      let command = ["bash", "-c", program.script]
      let (here, there) = (try Scratch(), try Scratch())
      let alone = try runToEnd(command, folder: here.path, environment: environment)
      let recorded = try Recorded(
        command, options: ["--heap"], environment: environment, folder: there.path)
      #expect(recorded.result.ending == alone.ending)
      #expect(recorded.result.outputBytes == alone.outputBytes)
      #expect(recorded.result.error == alone.error)
      try recorded.expectConsistency()

      let profile = recorded.profile
      let heap = try #require(profile.heap)
      let most = try #require(
        heap.processes.filter { recorded.name(of: $0.process) == program.testDescription }
          .max { $0.allocated.count < $1.allocated.count })
      #expect(most.allocated.count >= program.least)
      #expect(most.peak.bytes > 1000 && most.live.bytes >= 0)
      #expect(most.untracked == nil)
      // Nearly every block has a stack that begins where the program or the thread does.
      #expect(most.truncated * 100 <= most.allocated.count)
      let report = try runToEnd([BuiltProducts.qprof, "report", recorded.path])
      #expect(report.ending == .exited(0), "\(report.error)")
      #expect(report.output.contains("peak"), "\(report.output)")
    }

    /// The same calls, the same peak, the same busiest callers.
    @Test(arguments: ["sqlite3", "cc1plus"]) func heaptrackAgrees(program: String) throws {
      let scratch = try Scratch()
      let command = try program == "sqlite3" ? sqlite3() : cc1plus()
      let recorded = try Recorded(command, options: ["--heap"], environment: ["LC_ALL": "C"])
      #expect(recorded.result.ending == .exited(0))
      let process = try recorded.heapProcess()
      try run(
        [
          "env", "LD_PRELOAD=/usr/lib/heaptrack/libheaptrack_preload.so",
          "DUMP_HEAPTRACK_OUTPUT=\(scratch("raw"))",
        ] + command)
      let text = try run(["/usr/bin/python3", "-c", Self.summary, scratch("raw")])
      let theirs = try JSONDecoder().decode(Heaptrack.self, from: Data(text.utf8))
      // It does not hook memalign and pvalloc, and counts its own few.
      expect(process.allocated.count, near: theirs.calls, within: 0.001)
      expect(process.peak.bytes, near: theirs.peak, within: 0.01)
      let ours = callers(of: recorded)
      #expect(theirs.busiest.count == 5)
      let busiest = ours.sorted { $0.value > $1.value }.prefix(5).map(\.key)
      #expect(Set(busiest) == Set(theirs.busiest.keys))
      for (site, calls) in theirs.busiest {
        expect(try #require(ours[site], "\(site)"), near: calls, within: 0.001)
      }
    }

    private struct Heaptrack: Decodable {
      var calls: Int64
      var peak: Int64
      var busiest: [String: Int64]
    }

    /// Allocations by the innermost three frames, as file and address of the call.
    private func callers(of recorded: Recorded) -> [String: Int64] {
      let profile = recorded.profile
      var counts: [String: Int64] = [:]
      for site in profile.heap?.sites ?? [] where site.kind == .block {
        let places = profile.locations(of: site.stack).prefix(3).map { location in
          guard case .code(let mapping, let address) = profile.locations[location].place else {
            return "?"
          }
          let module = Profile.basename(profile.strings[profile.mappings[mapping].path])
          return module + "+" + String(address.rawValue, radix: 16)
        }
        counts[places.joined(separator: " "), default: 0] += site.allocated.count
      }
      return counts
    }

    private func expect(
      _ ours: Int64, near theirs: Int64, within share: Double,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      #expect(
        abs(Double(ours - theirs)) <= max(share * Double(theirs), 3),
        "\(ours) here, \(theirs) there",
        sourceLocation: sourceLocation)
    }

    private func sqlite3() throws -> [String] {
      let rows = BuiltProducts.repository.appendingPathComponent("Benchmarks/inputs/rows.sql")
      return ["sqlite3", ":memory:", ".read \(rows.path)"]
    }

    private func cc1plus() throws -> [String] {
      let source = BuiltProducts.repository.appendingPathComponent("Benchmarks/inputs/small.cc")
      let program = try run(["g++", "-print-prog-name=cc1plus"])
      return [
        program.trimmingCharacters(in: .newlines), "-quiet", "-imultiarch", "x86_64-linux-gnu",
        "-D_GNU_SOURCE", source.path, "-O2", "-o", "/dev/null",
      ]
    }

    /// Replays heaptrack's raw text: `m` lines are modules with their base and segments, `t` lines
    /// nodes of the tree of stacks, `+` and `-` blocks. What libstdc++ allocates is left out:
    /// heaptrack brings it along into these programs, which have none.
    private static let summary = """
      import collections, functools, itertools, json, os, sys
      modules, frames, live = [], [None], {}
      calls = total = peak = 0
      counts = collections.Counter()
      @functools.cache
      def place(address):
          name, base = next((m[2], m[3]) for m in modules if m[0] <= address < m[1])
          return f"{name}+{address - base:x}"
      for line in open(sys.argv[1]):
          words = line.split()
          if words[0] == "x":
              program = words[2]
          elif words[0] == "m" and words[2] != "-":
              base, numbers = int(words[3], 16), [int(n, 16) for n in words[4:]]
              name = os.path.basename(os.path.realpath(program if words[2] == "x" else words[2]))
              for start, size in zip(numbers[::2], numbers[1::2]):
                  modules.append((base + start, base + start + size, name, base))
          elif words[0] == "t":
              frames.append((int(words[1], 16), int(words[2], 16)))
          elif words[0] == "+":
              size, stack, block = (int(word, 16) for word in words[1:])
              if place(frames[stack][0]).startswith("libstdc++"):
                  continue
              calls, total = calls + 1, total + size - live.pop(block, 0)
              live[block] = size
              peak = max(peak, total)
              counts[stack] += 1
          elif words[0] == "-":
              total -= live.pop(int(words[1], 16), 0)
      def callers(stack):
          while stack != 0:
              address, stack = frames[stack]
              yield place(address)
      sites = collections.Counter()
      for stack, count in counts.items():
          sites[" ".join(itertools.islice(callers(stack), 3))] += count
      busiest = dict(sites.most_common(5))
      print(json.dumps({"calls": calls, "peak": peak, "busiest": busiest}))
      """
  }
}
