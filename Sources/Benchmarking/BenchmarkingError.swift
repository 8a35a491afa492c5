/// What can be wrong with a `qprof.toml`, with a bench's build, or with proposing a file.
package enum BenchmarkingError: Error, Hashable, Sendable {
  /// No `qprof.toml` in the folder or above it.
  case noConfiguration(folder: String)
  case unreadable(path: String, reason: String)
  case tooLarge(path: String, limit: Int)
  case notTOML(path: String, line: Int, reason: String)
  /// `table` is written as in the file, `[bench.NAME]`, and empty at the top.
  case unknownKey(path: String, table: String, key: String, known: [String])
  case missingKey(path: String, table: String, key: String)
  case wrongType(path: String, table: String, key: String, expected: String, found: String)
  case emptyValue(path: String, table: String, key: String)
  case badBenchName(path: String, name: String)
  case unknownBench(path: String, name: String, known: [String])

  case buildNotStarted(bench: String, command: String, reason: String)
  /// `status` is 128 + N for signal N; `lastLines` is the end of what the build printed.
  case buildFailed(
    bench: String, command: String, folder: String, status: Int32, lastLines: [String])

  case alreadyConfigured(path: String)
  case nothingToPropose(folder: String)
  case unwritable(path: String, reason: String)
}

extension BenchmarkingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noConfiguration(let folder):
      "no qprof.toml in \(folder) or above it, up to the root of the repository; "
        + "`qprof init` writes one"
    case .unreadable(let path, let reason):
      "\(path): cannot be read: \(reason)"
    case .tooLarge(let path, let limit):
      "\(path): larger than \(limit) bytes, so it is hardly a qprof.toml"
    case .notTOML(let path, let line, let reason):
      "\(path):\(line): not valid TOML: \(reason)"
    case .unknownKey(let path, let table, let key, let known):
      "\(path): \(place(table)) has the unknown key '\(key)'; " + advice(key, known)
    case .missingKey(let path, let table, let key):
      "\(path): \(place(table)) has no '\(key)'; add one"
        + (key == "command" ? ", such as command = [\"./bench\"]" : " here or in [defaults]")
    case .wrongType(let path, let table, let key, let expected, let found):
      "\(path): '\(key)' in \(place(table)) must be \(expected), and is of type \(found)"
    case .emptyValue(let path, let table, let key):
      "\(path): '\(key)' in \(place(table)) is empty; give it a value or leave it out"
    case .badBenchName(let path, let name):
      "\(path): \(name.debugDescription) cannot name a bench; names have no spaces and no '/', "
        + "and begin with neither '-' nor '.'"
    case .unknownBench(let path, let name, let known):
      "\(path) has no bench '\(name)'; " + advice(name, known)
    case .buildNotStarted(let bench, let command, let reason):
      "the build of bench '\(bench)' could not be started: \(reason) (\(command))"
    case .buildFailed(let bench, let command, let folder, let status, let lastLines):
      "the build of bench '\(bench)' failed with status \(status); in \(folder), run: \(command)"
        + lastLines.map { "\n  | " + $0 }.joined()
    case .alreadyConfigured(let path):
      "\(path) exists already; edit it, or move it away first"
    case .nothingToPropose(let folder):
      "found no benches in \(folder): looked for [[bench]] and benches/*.rs of Cargo, executable "
        + "targets of SwiftPM and add_executable of CMake with 'bench' in the name. "
        + "A qprof.toml can be as short as this:\n\n" + minimalConfiguration
    case .unwritable(let path, let reason):
      "\(path): cannot be written: \(reason)"
    }
  }

  private func place(_ table: String) -> String { table.isEmpty ? "the top level" : table }

  /// The likely names, or all of them when they are few.
  private func advice(_ name: String, _ known: [String]) -> String {
    let nearest = nearestNames(to: name, in: known)
    var parts: [String] = []
    if !nearest.isEmpty {
      parts.append("did you mean \(nearest.map { "'\($0)'" }.joined(separator: " or "))?")
    }
    if known.isEmpty {
      parts.append("none is known there")
    } else if known.count <= 12 {
      parts.append("known: \(known.joined(separator: ", "))")
    } else if nearest.isEmpty {
      parts.append(
        "\(known.count) are known, among them \(known.prefix(12).joined(separator: ", "))")
    }
    return parts.joined(separator: " ")
  }
}

/// The smallest file that works.
let minimalConfiguration = """
  [bench.NAME]
  module = "MODULE"
  build = ["make", "bench"]
  command = ["./bench"]

  """
