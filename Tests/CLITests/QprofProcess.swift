import Foundation
import ProfileFormats
import ProfileModel
import TestSupport

/// The built `qprof`, run in a folder of its own.
struct QprofProcess {
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

  func run(_ arguments: String..., input: String = "") throws -> ProgramResult {
    try start([BuiltProducts.qprof] + arguments, input)
  }

  /// Runs `script` with the folder of `qprof` in PATH.
  func shell(_ script: String) throws -> ProgramResult { try start(["bash", "-c", script], "") }

  private func start(_ command: [String], _ input: String) throws -> ProgramResult {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return try runToEnd(
      command, folder: folder.path,
      environment: ["PATH": BuiltProducts.folder.path + ":" + path], input: input)
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
