import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

@Suite struct CommandTests {
  private let qprof: QprofProcess
  init() throws { qprof = try QprofProcess() }

  @Test func reportTakesTheLatestRecording() throws {
    defer { qprof.remove() }
    try qprof.record(.small(hot: "newer"), as: ".qprof/recordings/20260102-000000-a.qprof")
    try qprof.record(.small(hot: "older"), as: ".qprof/recordings/20260101-000000-b.qprof")
    let result = try qprof.run("report")
    #expect(result.status == 0)
    #expect(result.error.isEmpty)
    #expect(result.output.contains("600 ms  75.0 %  6.0      150      600 ms   75.0 %  newer"))
    #expect(result.output.contains(".qprof/recordings/20260102-000000-a.qprof"))
  }

  @Test func reportOptions() throws {
    defer { qprof.remove() }
    try qprof.record(.small(), as: "a.qprof")
    let result = try qprof.run(
      "report", "a.qprof", "--sort", "self", "--top", "1", "--tree", "--threads")
    #expect(result.output.contains("Functions by self time (1 of 2"))
    #expect(!result.output.contains("cumulative time"))
    #expect(result.output.contains("Call tree") && result.output.contains("Threads"))

    let json = try qprof.run("report", "a.qprof", "--json")
    let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
    #expect(object?["source"] as? String == "a.qprof")
  }

  @Test func coloursAndCutsOnlyOnATerminal() throws {
    defer { qprof.remove() }
    let long = String(repeating: "long", count: 50)
    try qprof.record(.small(hot: long), as: "a.qprof")
    func onTerminal(_ environment: String) throws -> String {
      try qprof.shell(
        "script -qec 'stty cols 80; \(environment) qprof report a.qprof' /dev/null"
      ).output
    }
    let coloured = try onTerminal("TERM=xterm NO_COLOR=")
    #expect(coloured.contains("\u{1b}[1m") && coloured.contains("…") && !coloured.contains(long))
    #expect(try !onTerminal("TERM=xterm NO_COLOR=1").contains("\u{1b}"))
    #expect(try !onTerminal("TERM=dumb NO_COLOR=").contains("\u{1b}"))
    let piped = try qprof.run("report", "a.qprof").output
    #expect(!piped.contains("\u{1b}") && piped.contains(long))
  }

  @Test func brokenPipeIsSilent() throws {
    defer { qprof.remove() }
    var builder = ProfileBuilder()
    for name in 0..<5000 { builder.add(["main", "function\(name)"], weight: 1) }
    try qprof.record(builder.profile, as: "a.qprof")
    let result = try qprof.shell(
      "qprof report a.qprof --top 5000 | head -1; echo ${PIPESTATUS[0]}; "
        + "trap '' PIPE; qprof report a.qprof --top 5000 | head -1; echo ${PIPESTATUS[0]}")
    #expect(result.output == "a.qprof\n141\na.qprof\n141\n")
    #expect(result.error.isEmpty)
  }

  @Test func flameWritesAFile() throws {
    defer { qprof.remove() }
    try qprof.record(.small(), as: "a.qprof")
    try qprof.record(.small(hot: "other"), as: "b.qprof")
    #expect(try qprof.run("flame", "a.qprof", "-o", "a.svg", "--title", "A <b>").status == 0)
    #expect(try qprof.run("flame", "a.qprof", "-o", "d.svg", "--diff", "b.qprof").status == 0)
    for (name, words) in [("a.svg", ["A &lt;b&gt;", "hot"]), ("d.svg", ["hot", "other"])] {
      let text = try String(contentsOf: qprof.file(name), encoding: .utf8)
      let parser = XMLChecker()
      #expect(parser.accepts(text), "\(name)")
      for word in words { #expect(text.contains(word), "\(name) \(word)") }
    }
    let toStandardOutput = try qprof.run("flame", "a.qprof", "-o", "-")
    #expect(toStandardOutput.output.contains("<svg"))
  }

  @Test func outputReplacesWholeFilesOnly() throws {
    defer { qprof.remove() }
    try qprof.record(.small(), as: "a.qprof")
    try qprof.write("old", to: "real.svg")
    try FileManager.default.createSymbolicLink(
      atPath: qprof.file("link.svg").path, withDestinationPath: "real.svg")
    #expect(try qprof.run("flame", "a.qprof", "-o", "link.svg").status == 0)
    #expect(try String(contentsOf: qprof.file("real.svg"), encoding: .utf8).contains("<svg"))
    let link = try FileManager.default.destinationOfSymbolicLink(
      atPath: qprof.file("link.svg").path)
    #expect(link == "real.svg")
    let names = try FileManager.default.contentsOfDirectory(atPath: qprof.folder.path)
    #expect(Set(names) == [".git", "a.qprof", "real.svg", "link.svg"])
  }

  @Test func exportsAreReadBack() throws {
    defer { qprof.remove() }
    try qprof.record(.small(), as: "a.qprof")
    let folded = try qprof.run("export", "a.qprof", "-f", "folded", "-o", "-")
    #expect(folded.output == "main 50\nmain;hot 150\n")
    for file in ["a.folded", "a.pb.gz"] {
      #expect(try qprof.run("export", "a.qprof", "-o", file).status == 0)
      let report = try qprof.run("report", file, "--json")
      let json = try JSONSerialization.jsonObject(with: Data(report.output.utf8))
      let functions = (json as? [String: Any])?["functions"] as? [String: Any]
      let first = (functions?["bySelf"] as? [[String: Any]])?.first
      #expect(first?["name"] as? String == "hot", "\(file)")
      #expect((first?["self"] as? [String: Any])?["weight"] as? Int == 150, "\(file)")
    }
    #expect(try Data(contentsOf: qprof.file("a.pb.gz")).starts(with: [0x1f, 0x8b]))
  }

  @Test func standardInputIsRead() throws {
    defer { qprof.remove() }
    let result = try qprof.run("report", "-", input: "main;hot 3\nnonsense\nmain 1\n")
    #expect(result.output.hasPrefix("standard input\n"))
    #expect(result.output.contains("75.0 %"))
    #expect(result.error.contains("1 line of '-' could not be read"))
    #expect(result.error.contains("line 2: nonsense"))
  }

  @Test func recordingWithoutAnEndIsReadAndSaidSo() throws {
    defer { qprof.remove() }
    let writer = try RecordingWriter(path: qprof.file("a.qprof").path)
    var profile = Profile.small()
    try writer.append(&profile)
    try writer.close()
    for _ in 1...2 {
      let result = try qprof.run("report", "a.qprof")
      #expect(result.status == 0)
      #expect(result.error.contains("the recorder of 'a.qprof' was killed"))
      #expect(result.output.contains("75.0 %"))
    }
  }

  @Test func initWritesOnce() throws {
    defer { qprof.remove() }
    try qprof.write("[package]\nname = \"demo\"\n[[bench]]\nname = \"fast\"\n", to: "Cargo.toml")
    let first = try qprof.run("init")
    #expect(first.status == 0)
    let text = try String(contentsOf: qprof.file("qprof.toml"), encoding: .utf8)
    #expect(text.contains("[bench.fast]"))
    let second = try qprof.run("init")
    #expect(second.status == 73)
    #expect(second.error.contains("exists already"))
    #expect(try String(contentsOf: qprof.file("qprof.toml"), encoding: .utf8) == text)
  }

  @Test func helpNamesEveryCommandWithAnExample() throws {
    defer { qprof.remove() }
    let help = try qprof.run("--help")
    for command in ["record", "report", "flame", "export", "init"] {
      #expect(help.output.contains("  \(command) "), "\(command)")
    }
    for command in ["report", "flame", "export", "init"] {
      let help = try qprof.run(command, "--help").output
      #expect(help.contains(try Regex("Examples?:\\s+qprof \(command) ")), "\(command)")
    }
    #expect(try qprof.run("--version").output.hasPrefix("qprof "))
  }
}
