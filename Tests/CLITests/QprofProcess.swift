import Foundation
import ProfileFormats
import ProfileModel
import TestSupport

/// The built `qprof`, run in a folder of its own.
struct QprofProcess {
  struct Result {
    var status: Int32
    var output: String
    var error: String
  }

  let folder: URL

  /// An empty folder; nothing above it belongs to its project.
  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("qprof-cli-\(UUID().uuidString)").resolvingSymlinksInPath()
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent(".git"), withIntermediateDirectories: true)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  func file(_ name: String) -> URL { folder.appendingPathComponent(name) }

  func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: file(name)) }

  /// Writes `profile` as a finished recording; into the project's folder, as a file name of
  /// `qprof record`, when `name` is one.
  @discardableResult
  func record(_ profile: Profile, as name: String) throws -> String {
    let path = file(name).path
    try FileManager.default.createDirectory(
      at: file(name).deletingLastPathComponent(), withIntermediateDirectories: true)
    let writer = try RecordingWriter(path: path)
    try writer.finish(profile)
    try writer.close()
    return path
  }

  func run(_ arguments: String..., input: String = "") throws -> Result {
    try start("/proc/self/exe", arguments, input)
  }

  /// Runs `script` with the folder of `qprof` in PATH.
  func shell(_ script: String) throws -> Result { try start("/bin/bash", ["-c", script], "") }

  private static let binaries = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    .deletingLastPathComponent()

  private func start(_ program: String, _ arguments: [String], _ input: String) throws -> Result {
    let process = Process()
    process.executableURL =
      program == "/proc/self/exe"
      ? Self.binaries.appendingPathComponent("qprof") : URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    var environment = ProcessInfo.processInfo.environment
    environment["PATH"] = Self.binaries.path + ":" + (environment["PATH"] ?? "")
    process.environment = environment
    // Files, not pipes: nothing has to be drained while the process runs.
    let names = ["out", "err", "in"].map { "/tmp/qprof-\($0)-\(UUID().uuidString)" }
    try Data(input.utf8).write(to: URL(fileURLWithPath: names[2]))
    for name in names[..<2] { try Data().write(to: URL(fileURLWithPath: name)) }
    defer { for name in names { try? FileManager.default.removeItem(atPath: name) } }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: names[0]))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: names[1]))
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: names[2]))
    try process.run()
    process.waitUntilExit()
    let text = try names[..<2].map {
      String(decoding: try Data(contentsOf: URL(fileURLWithPath: $0)), as: UTF8.self)
    }
    return Result(status: process.terminationStatus, output: text[0], error: text[1])
  }
}

extension Profile {
  /// `main` calling `hot` 150 times of 200, one sample of 4 ms each.
  static func small(hot: String = "hot") -> Profile {
    var builder = ProfileBuilder()
    let thread = builder.addThread(process: "small", pid: 7, tid: 7, name: "small")
    for time in 1...200 {
      builder.add(
        time % 4 == 0 ? ["main"] : ["main", hot], weight: 1, thread: thread,
        time: Nanoseconds(Int64(time) * 4_000_000))
    }
    builder.profile.period = .cpu(Nanoseconds(4_000_000))
    builder.profile.provenance.command = ["./small"]
    return builder.profile
  }
}
