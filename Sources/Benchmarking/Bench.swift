/// One `[bench.NAME]` of a `qprof.toml`, with the file's defaults filled in.
package struct Bench: Hashable, Sendable {
  package var name: String
  /// The part of the system it measures, for selecting and grouping.
  package var module: String
  /// Run before `command`, and never profiled.
  package var build: Command?
  package var command: Command
  /// Added to the environment of both `build` and `command`.
  package var environment: [String: String]
  /// Where both run, and what a relative path in `command` is relative to.
  package var workingDirectory: String
}

/// What to run: in TOML an array of strings, or one string for the shell.
package enum Command: Hashable, Sendable {
  case arguments([String])
  case shell(String)

  /// Program and arguments, ready for spawning; never empty.
  package var argv: [String] {
    switch self {
    case .arguments(let arguments): arguments
    case .shell(let script): ["/bin/sh", "-c", script]
    }
  }

  /// As shown in messages.
  package var text: String {
    switch self {
    case .arguments(let arguments): arguments.joined(separator: " ")
    case .shell(let script): script
    }
  }
}
