import Foundation
import ProfileModel
import Testing

@Suite struct ErrorTests {
  private let qprof: QprofProcess
  init() throws { qprof = try QprofProcess() }

  /// `qprof: …`, a status, and nothing on standard output.
  private func check(
    _ result: QprofProcess.Result, _ status: Int32, _ words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == status, sourceLocation: sourceLocation)
    #expect(result.output.isEmpty, sourceLocation: sourceLocation)
    #expect(result.error.hasPrefix("qprof: "), sourceLocation: sourceLocation)
    for word in words {
      #expect(result.error.contains(word), "\(result.error)", sourceLocation: sourceLocation)
    }
  }

  @Test func noRecordingYet() throws {
    defer { qprof.remove() }
    for command in ["report", "flame", "export"] {
      let output = command == "report" ? [] : ["-o", command == "flame" ? "x.svg" : "x.pb.gz"]
      let result = try qprof.shell("qprof \(([command] + output).joined(separator: " "))")
      check(result, 66, "no recording yet", "qprof record -- COMMAND")
    }
  }

  @Test func noSuchInput() throws {
    defer { qprof.remove() }
    check(try qprof.run("report", "none.qprof"), 66, "'none.qprof'", "check the path")
  }

  @Test func notAProfile() throws {
    defer { qprof.remove() }
    try Data((0...255).map { UInt8($0) }).write(to: qprof.file("noise"))
    check(try qprof.run("report", "noise"), 65, "'noise'")
    check(try qprof.run("report", "."), 66, "Is a directory")
    try qprof.write("", to: "empty")
    check(try qprof.run("report", "empty"), 65, "empty")
  }

  @Test func truncatedRecording() throws {
    defer { qprof.remove() }
    let path = try qprof.record(.small(), as: "a.qprof")
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
    check(try qprof.run("report", "a.qprof"), 65, "a.qprof", "damaged")
  }

  @Test func recordingOfANewerQprof() throws {
    defer { qprof.remove() }
    let path = try qprof.record(.small(), as: "a.qprof")
    // user_version is the big-endian word at offset 60 of an SQLite file.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    bytes.replaceSubrange(60..<64, with: [0, 0, 0, 99])
    try bytes.write(to: URL(fileURLWithPath: path))
    check(try qprof.run("report", "a.qprof"), 65, "version 99", "upgrade")
  }

  @Test func outputThatCannotBeWritten() throws {
    defer { qprof.remove() }
    try qprof.record(.small(), as: "a.qprof")
    check(
      try qprof.run("flame", "a.qprof", "-o", "none/x.svg"), 73, "there is no folder", "/none")
    try FileManager.default.createDirectory(
      at: qprof.file("folder.svg"), withIntermediateDirectories: true)
    check(try qprof.run("flame", "a.qprof", "-o", "folder.svg"), 73, "it is a folder")
    check(try qprof.run("flame", "a.qprof", "-o", "/proc/x.svg"), 73, "/proc/x.svg")
    let full = try qprof.shell("qprof report a.qprof > /dev/full")
    check(full, 73, "standard output")
    let names = try FileManager.default.contentsOfDirectory(atPath: qprof.folder.path)
    #expect(Set(names) == [".git", "a.qprof", "folder.svg"])
  }

  @Test func usage() throws {
    defer { qprof.remove() }
    let wrong = [
      ["report", "--top", "0"], ["report", "--sort", "name"], ["flame"], ["flame", "-o", "x.png"],
      ["flame", "-o", "x.svg", "--width", "1"], ["flame", "-o", "x.svg", "--absolute"],
      ["nonsense"], ["export", "-o", "x.unknown"],
    ]
    for arguments in wrong {
      let result = try qprof.shell("qprof \(arguments.joined(separator: " "))")
      #expect(result.status == 64, "\(arguments)")
      #expect(result.error.hasPrefix("qprof: ") && result.output.isEmpty, "\(arguments)")
    }
  }

  @Test func hostileFileNamesAreMadeVisible() throws {
    defer { qprof.remove() }
    check(try qprof.run("report", "\u{1b}[31mred"), 66, "\\x1b[31mred")
    check(try qprof.run("report", "--\u{1b}[31mred"), 64, "\\x1b[31mred")
  }
}
