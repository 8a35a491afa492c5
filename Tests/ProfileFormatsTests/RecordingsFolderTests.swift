import Foundation
import ProfileFormats
import Testing

@Suite struct RecordingsFolderTests {
  private let root: URL

  init() throws {
    root = FileManager.default.temporaryDirectory
      .appendingPathComponent("qprof-folder-\(UUID().uuidString)").resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    // Nothing above this folder counts.
    try make(".git")
  }

  private func make(_ path: String) throws {
    try FileManager.default.createDirectory(
      at: root.appendingPathComponent(path), withIntermediateDirectories: true)
  }

  private func touch(_ path: String) throws {
    try Data("x".utf8).write(to: root.appendingPathComponent(path))
  }

  @Test func nearestProjectGoverns() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try make("a/b/c")
    let here = root.appendingPathComponent("a/b/c").path
    #expect(RecordingsFolder.governing(here).path == here + "/.qprof/recordings")
    try touch("qprof.toml")
    #expect(RecordingsFolder.governing(here).path == root.path + "/.qprof/recordings")
    try make("a/.qprof")
    #expect(RecordingsFolder.governing(here).path == root.path + "/a/.qprof/recordings")
    try make("a/b/.git")
    #expect(RecordingsFolder.governing(here).path == here + "/.qprof/recordings")
  }

  @Test func latestIsLastByName() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = RecordingsFolder(path: root.path)
    #expect(folder.latest() == nil)
    for name in [
      "20260102-000000-b.qprof", "20260102-000001-a.qprof", "20260101-235959-z.qprof",
      "zz-copied-here.qprof", "20270101-000000-x.qprof-journal",
    ] { try touch(name) }
    #expect(folder.latest() == root.path + "/20260102-000001-a.qprof")
    #expect(RecordingsFolder(path: root.path + "/none").latest() == nil)
  }

  @Test func newNamesAreUniqueAndSafe() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    let folder = RecordingsFolder(path: root.path + "/.qprof/recordings")
    let date = Date(timeIntervalSince1970: 1_795_507_199.25)  // 2026-11-24 07:59:59 UTC
    let first = try folder.newRecordingPath(name: "ml_dsa", date: date)
    #expect(first == folder.path + "/20261124-075959-ml_dsa.qprof")
    let mode = try FileManager.default.attributesOfItem(atPath: folder.path)[.posixPermissions]
    #expect(mode as? Int == 0o700)

    try Data().write(to: URL(fileURLWithPath: first))
    let second = try folder.newRecordingPath(name: "../a b;é", date: date)
    #expect(second == folder.path + "/20261124-080000-..-a-b--.qprof")
    try Data().write(to: URL(fileURLWithPath: second))
    #expect(folder.latest() == second)
    #expect(try folder.newRecordingPath(name: "", date: date).hasSuffix("-recording.qprof"))
  }

  @Test func folderThatCannotBeMade() throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try touch("file")
    let folder = RecordingsFolder(path: root.path + "/file/recordings")
    #expect(throws: RecordingError.self) {
      try folder.newRecordingPath(name: "x", date: Date(timeIntervalSince1970: 0))
    }
  }
}
