import Foundation

/// The text of a `qprof.toml` with the benches of a Cargo, SwiftPM or CMake project, sorted by
/// name; nil when there are none.
package func proposedConfiguration(for project: ProjectFiles) -> String? {
  let found = cargoBenches(in: project) + swiftBenches(in: project) + cmakeBenches(in: project)
  guard !found.isEmpty else { return nil }
  var taken: Set<String> = []
  var text = "# Written by `qprof init`. Run one with: qprof record --bench NAME\n"
  for bench in found.sorted(by: { ($0.name, $0.module) < ($1.name, $1.module) }) {
    var bench = bench
    if taken.contains(bench.name) { bench.name = uniqueName(for: bench, notIn: taken) }
    taken.insert(bench.name)
    text += "\n" + bench.toml
  }
  return text
}

extension ConfigurationFile {
  /// Writes a `qprof.toml` for the project in `folder`, never over an existing one, and returns
  /// its path.
  package static func propose(for folder: String) throws(BenchmarkingError) -> String {
    let path = URL(fileURLWithPath: folder).appendingPathComponent(name).path
    if FileManager.default.fileExists(atPath: path) { throw .alreadyConfigured(path: path) }
    guard let text = proposedConfiguration(for: try ProjectFiles(listing: folder)) else {
      throw .nothingToPropose(folder: folder)
    }
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .withoutOverwriting)
    } catch {
      throw .unwritable(path: path, reason: error.localizedDescription)
    }
    return path
  }
}

/// One bench found in a build system's files, and how to write it down.
struct ProposedBench {
  var name: String
  var module: String
  var build: [String]
  var command: [String]
  var environment: [String: String] = [:]

  var toml: String {
    var lines = ["[bench.\(tomlKey(name))]", "module = \(tomlString(module))"]
    lines.append("build = \(tomlArray(build))")
    lines.append("command = \(tomlArray(command))")
    if !environment.isEmpty {
      let pairs = environment.sorted { $0.key < $1.key }
        .map { "\(tomlKey($0.key)) = \(tomlString($0.value))" }
      lines.append("env = { \(pairs.joined(separator: ", ")) }")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

private func uniqueName(for bench: ProposedBench, notIn taken: Set<String>) -> String {
  let base = "\(bench.module)-\(bench.name)"
  var name = base
  var number = 2
  while taken.contains(name) {
    name = "\(base)-\(number)"
    number += 1
  }
  return name
}

private func tomlArray(_ strings: [String]) -> String {
  "[" + strings.map(tomlString).joined(separator: ", ") + "]"
}

private func tomlKey(_ key: String) -> String {
  let isBare = key.utf8.allSatisfy {
    switch $0 {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
  return isBare && !key.isEmpty ? key : tomlString(key)
}

/// A TOML basic string.
private func tomlString(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"", "\\": result += "\\\(scalar)"
    case "\u{00}"..."\u{1F}", "\u{7F}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
