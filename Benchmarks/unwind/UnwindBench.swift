import Capture
import Foundation
import ProfileModel

/// Measures parts of the recorder that no command of qprof shows alone. `Benchmarks/run` calls it
/// and makes tables of what it prints.
@main
enum UnwindBench {
  private static let usage = """
    usage: unwind-bench unwind RESULT.json COMMAND [ARGUMENTS]
           unwind-bench symbolize FILE COUNT
           unwind-bench sample-set RECORDING RESULT.qprof SAMPLES STACKS

    """

  static func main() {
    do {
      try run(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("unwind-bench: \(error)\n".utf8))
      exit(1)
    }
  }

  private static func run(_ arguments: [String]) throws {
    switch (arguments.first, arguments.count) {
    case ("unwind", 3...):
      let costs = try unwindingCosts(of: Command(Array(arguments[2...])))
      try JSONEncoder().encode(costs).write(to: URL(fileURLWithPath: arguments[1]))
    case ("symbolize", 3):
      let cost = try symbolizingCost(path: arguments[1], addresses: number(arguments[2]))
      FileHandle.standardOutput.write(try JSONEncoder().encode(cost))
    case ("sample-set", 5):
      try writeSampleSet(
        from: arguments[1], to: arguments[2], samples: number(arguments[3]),
        stacks: number(arguments[4]))
    default:
      FileHandle.standardError.write(Data(usage.utf8))
      exit(64)
    }
  }

  private static func number(_ text: String) throws -> Int {
    guard let number = Int(text), number > 0 else { throw BenchError.notANumber(text) }
    return number
  }
}

enum BenchError: Error, CustomStringConvertible {
  case notANumber(String)
  case tooFewFunctions(path: String, found: Int, wanted: Int)
  case tooFewSamples(path: String, found: Int, wanted: Int)
  case tooFewStacks(path: String, found: Int, wanted: Int)

  var description: String {
    switch self {
    case .notANumber(let text): "'\(text)' is not a positive number"
    case .tooFewFunctions(let path, let found, let wanted):
      "\(path): its unwind table knows \(found) functions, \(wanted) are needed; name a larger file"
    case .tooFewSamples(let path, let found, let wanted):
      "\(path) holds \(found) samples, \(wanted) are needed; record for longer"
    case .tooFewStacks(let path, let found, let wanted):
      "\(path) holds \(found) distinct stacks, \(wanted) are needed; record for longer"
    }
  }
}
