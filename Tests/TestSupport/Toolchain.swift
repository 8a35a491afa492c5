import Foundation

/// A folder for the files of one test, removed with it.
package final class Scratch: Sendable {
  package let path: String

  package init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("qprof-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    path = url.path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of `name` in the folder.
  package func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Writes `text` to the file `name`, whose path is returned.
  @discardableResult
  package func write(_ text: String, _ name: String) throws -> String {
    let url = URL(fileURLWithPath: self(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    return url.path
  }
}

/// A tool that a test runs ended with another status than 0.
package struct ToolFailure: Error, CustomStringConvertible {
  package let command: [String]
  package let status: Int32
  package let errors: String
  package var description: String {
    "\(command.joined(separator: " ")) ended with status \(status): \(errors)"
  }
}

/// Runs a program found in PATH in the C locale, gives it `input`, and returns what it printed.
@discardableResult
package func run(_ command: [String], input: String = "") throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = ["LC_ALL=C"] + command
  // Files, not pipes: a pipe that nobody empties while another is read can stop the program.
  let scratch = try Scratch()
  let paths = [try scratch.write(input, "in"), try scratch.write("", "out")]
  let errors = try scratch.write("", "err")
  process.standardInput = FileHandle(forReadingAtPath: paths[0])
  process.standardOutput = FileHandle(forWritingAtPath: paths[1])
  process.standardError = FileHandle(forWritingAtPath: errors)
  try process.run()
  process.waitUntilExit()
  func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(fileURLWithPath: path)), as: UTF8.self)
  }
  guard process.terminationStatus == 0 else {
    throw ToolFailure(
      command: command, status: process.terminationStatus, errors: try text(errors))
  }
  return try text(paths[1])
}
