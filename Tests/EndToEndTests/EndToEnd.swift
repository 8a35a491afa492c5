import Foundation
import ProfileFormats
import ProfileModel
import TestSupport
import Testing

/// Everything that records real programs. One test at a time: they need the processors, and so do
/// the suites of other targets that run beside them; what they compare is CPU time.
@Suite(.serialized) struct EndToEnd {
  /// How often statistical tests repeat: 1, or what `QPROF_E2E_RUNS` says.
  static let runs =
    ProcessInfo.processInfo.environment["QPROF_E2E_RUNS"].flatMap { Int($0) } ?? 1
}

/// A finished `qprof record`.
struct Recorded {
  let result: ProgramResult
  let path: String
  let profile: Profile
  private let scratch: Scratch

  /// Records `command`; fails the test when `qprof` itself complains.
  init(
    _ command: [String], options: [String] = [], environment: [String: String?] = [:],
    folder: String? = nil, input: String = "", sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let scratch = try Scratch()
    let path = scratch("recorded.qprof")
    let result = try runToEnd(
      [BuiltProducts.qprof, "record", "-o", path] + options + ["--"] + command, folder: folder,
      environment: environment, input: input)
    #expect(!result.error.contains("qprof: "), "\(result.error)", sourceLocation: sourceLocation)
    self.scratch = scratch
    self.result = result
    self.path = path
    profile = try readRecording(path: path).profile
  }

  /// Records a program of `Tests/Workloads`, which has to exit with 0.
  static func workload(
    _ name: String, _ arguments: String..., options: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Recorded {
    let recorded = try Recorded(
      [try BuiltProducts.workload(name)] + arguments, options: options,
      sourceLocation: sourceLocation)
    #expect(
      recorded.result.ending == .exited(0), "\(recorded.result.error)",
      sourceLocation: sourceLocation)
    return recorded
  }

  /// `qprof report --json` of it.
  func report(top: Int = 50) throws -> JSONReport {
    let result = try runToEnd(
      [BuiltProducts.qprof, "report", path, "--json", "--top", "\(top)"])
    try #require(result.ending == .exited(0), "\(result.error)")
    return try JSONDecoder().decode(JSONReport.self, from: result.outputBytes)
  }

  /// Files of the test, removed with the recording.
  func file(_ name: String) -> String { scratch(name) }
}

/// The part of docs/formats/report-json.md that the tests look at.
struct JSONReport: Decodable {
  struct Measure: Decodable { var weight: Int64, share: Double, samples: Int? }
  struct Function: Decodable {
    var name: String, module: String, isSymbolised: Bool
    var flat: Measure, cumulative: Measure
    private enum CodingKeys: String, CodingKey {
      case name, module, isSymbolised, cumulative
      case flat = "self"
    }
  }
  struct Functions: Decodable { var bySelf: [Function], byCumulative: [Function] }
  struct Note: Decodable { var code: String, message: String }
  struct Loss: Decodable { var reason: String, events: Int64, processNames: [String] }
  struct Sampling: Decodable {
    var weight: Int64, samples: Int?, effectiveSamples: Double?, coverage: Double?
  }
  var functions: Functions
  var advice: [Note]
  var losses: [Loss]
  var sampling: Sampling
}

/// The workloads print their answer as lines of a name and a number.
func answers(_ output: String) -> [String: Double] {
  var answers: [String: Double] = [:]
  for line in output.split(separator: "\n") {
    let words = line.split(separator: " ")
    if words.count == 2, let value = Double(words[1]) { answers[String(words[0])] = value }
  }
  return answers
}

/// How far an estimated share may lie from the true share `p`: three standard errors, and half a
/// point for what the program does beside its work.
func tolerance(_ p: Double, signals: Double) -> Double {
  3 * (p * (1 - p) / signals).squareRoot() + 0.005
}
