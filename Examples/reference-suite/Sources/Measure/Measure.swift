import Foundation

/// One operation to repeat. `body` does it once and says whether its result is right.
public struct Operation {
  let name: String
  let body: () throws -> Bool

  public init(_ name: String, _ body: @escaping () throws -> Bool) {
    self.name = name
    self.body = body
  }
}

/// Runs the operations one after the other, each for an equal part of `--seconds` (5 by default),
/// and prints the operations per second of each. Exits with 1 when something is wrong.
public func measure(_ operations: () throws -> [Operation]) {
  do {
    let seconds = try seconds(of: Array(CommandLine.arguments.dropFirst()))
    let operations = try operations()
    for operation in operations {
      let rate = try repeating(operation, for: .seconds(seconds / Double(operations.count)))
      print("\(operation.name) \(Int(rate))/s")
    }
  } catch {
    FileHandle.standardError.write(Data("error: \(error)\n".utf8))
    exit(1)
  }
}

private func repeating(_ operation: Operation, for length: Duration) throws -> Double {
  let clock = ContinuousClock()
  let start = clock.now
  var count = 0.0
  var elapsed = Duration.zero
  repeat {
    guard try operation.body() else { throw MeasureError.wrongResult(of: operation.name) }
    count += 1
    elapsed = clock.now - start
  } while elapsed < length
  return count / (elapsed / .seconds(1))
}

private func seconds(of arguments: [String]) throws(MeasureError) -> Double {
  guard !arguments.isEmpty else { return 5 }
  guard arguments.count == 2, arguments[0] == "--seconds", let value = Double(arguments[1]),
    value > 0, value <= 86_400
  else { throw .badArguments(arguments) }
  return value
}

private enum MeasureError: Error, CustomStringConvertible {
  case badArguments([String])
  case wrongResult(of: String)

  var description: String {
    switch self {
    case .badArguments(let arguments):
      "unexpected '\(arguments.joined(separator: " "))'; "
        + "the only option is --seconds N, with N above 0 and at most a day"
    case .wrongResult(let operation):
      "\(operation) gave a wrong result, so its speed would mean nothing"
    }
  }
}
