import Foundation
package import Testing

/// Compares `actual` with the file `name` in the folder `Fixtures/Golden` beside the calling test.
///
/// With `QPROF_RECORD_GOLDEN=1` in the environment the file is rewritten, and the test fails once
/// so that a recording is never mistaken for a check. On a difference the actual text is kept
/// under the temporary folder and its path is in the failure.
package func golden(
  _ actual: String, _ name: String, testFile: String = #filePath,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let folder = URL(fileURLWithPath: testFile).deletingLastPathComponent()
    .appendingPathComponent("Fixtures/Golden")
  let file = folder.appendingPathComponent(name)
  if ProcessInfo.processInfo.environment["QPROF_RECORD_GOLDEN"] == "1" {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(actual.utf8).write(to: file)
    Issue.record(
      "recorded \(file.path); run again without QPROF_RECORD_GOLDEN", sourceLocation: sourceLocation
    )
    return
  }
  guard let expected = try? String(contentsOf: file, encoding: .utf8) else {
    Issue.record(
      "no golden file \(file.path); record it with QPROF_RECORD_GOLDEN=1",
      sourceLocation: sourceLocation)
    return
  }
  if actual != expected {
    let kept = FileManager.default.temporaryDirectory
      .appendingPathComponent("qprof-actual-\(UUID().uuidString)-\(name)")
    try Data(actual.utf8).write(to: kept)
    Issue.record(
      "differs from \(file.path); actual text kept in \(kept.path)", sourceLocation: sourceLocation)
  }
}
