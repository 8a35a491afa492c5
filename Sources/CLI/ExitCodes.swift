import ArgumentParser
import Benchmarking
import Glibc
import ProfileFormats

/// Exit codes, as in sysexits.h where it has one.
enum ExitCodes {
  static let usage: Int32 = 64
  static let badInput: Int32 = 65
  static let noInput: Int32 = 66
  static let cannotCreate: Int32 = 73
  /// The reader of standard output went away: what a shell shows for SIGPIPE.
  static let brokenPipe: Int32 = 141

  /// The code for an error of qprof's own libraries; nil for one that is not theirs.
  static func code(of error: any Error) -> Int32? {
    switch error {
    case let error as CLIError: code(of: error)
    case let error as RecordingError: code(of: error)
    case let error as BenchmarkingError: code(of: error)
    default: nil
    }
  }

  private static func code(of error: CLIError) -> Int32 {
    switch error {
    case .noRecording, .noSuchInput, .unreadableInput: noInput
    case .badInput: badInput
    case .cannotWrite: cannotCreate
    case .unknownFormat: usage
    }
  }

  private static func code(of error: RecordingError) -> Int32 {
    switch error {
    case .noSuchFile, .noPermission, .busy: noInput
    case .notARecording, .tooNew, .damaged: badInput
    case .alreadyExists, .failed: cannotCreate
    }
  }

  private static func code(of error: BenchmarkingError) -> Int32 {
    switch error {
    case .noConfiguration, .unreadable, .nothingToPropose: noInput
    case .tooLarge, .notTOML, .unknownKey, .missingKey, .wrongType, .emptyValue, .badBenchName:
      badInput
    case .unknownBench: usage
    case .buildNotStarted, .buildFailed: 3
    case .alreadyConfigured, .unwritable: cannotCreate
    }
  }
}
