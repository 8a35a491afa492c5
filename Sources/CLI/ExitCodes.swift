import ArgumentParser
import Benchmarking
import Capture
import Glibc
import ProfileFormats
import Reporting

/// Exit codes, as in sysexits.h where it has one.
enum ExitCodes {
  /// A condition of --fail-if holds.
  static let failed: Int32 = 1
  /// What was asked cannot be told from what was recorded.
  static let notMeasured: Int32 = 3
  /// A failure of qprof's own in place of the command's status, as `env` and `timeout` have it.
  static let ownFailure: Int32 = 125
  static let usage: Int32 = 64
  static let badInput: Int32 = 65
  static let noInput: Int32 = 66
  static let cannotCreate: Int32 = 73
  /// The reader of standard output went away: what a shell shows for SIGPIPE.
  static let brokenPipe: Int32 = 141

  /// The code for an error of qprof's own libraries; nil for one that is not theirs.
  static func code(of error: any Error) -> Int32? {
    switch error {
    case let error as CLIError: error.exitCode
    case let error as ProfileFormatError: error.exitCode
    case let error as RecordingError: error.exitCode
    case let error as BenchmarkingError: error.exitCode
    case let error as CaptureError: error.exitStatus
    case let error as ReportingError: error.exitCode
    default: nil
    }
  }
}

extension CLIError {
  fileprivate var exitCode: Int32 {
    switch self {
    case .noRecording, .cannotRead: ExitCodes.noInput
    case .recordingFailed: ExitCodes.ownFailure
    case .cannotWrite: ExitCodes.cannotCreate
    case .unknownFormat, .memoryWithoutHeapMetric: ExitCodes.usage
    case .noHeap, .noHeapSites, .noCPUSamples, .noSuchMemory, .incomparable: ExitCodes.badInput
    }
  }
}

extension ProfileFormatError {
  fileprivate var exitCode: Int32 {
    switch problem {
    case .noSuchFile, .noPermission, .failed: ExitCodes.noInput
    case .empty, .unknownFormat, .perfData, .tooLarge, .noSuchValues, .malformed:
      ExitCodes.badInput
    case .recording(let error): error.exitCode
    }
  }
}

extension RecordingError {
  fileprivate var exitCode: Int32 {
    switch self {
    case .noSuchFile, .noPermission, .busy: ExitCodes.noInput
    case .notARecording, .tooNew, .damaged: ExitCodes.badInput
    case .alreadyExists, .noFolder, .failed: ExitCodes.cannotCreate
    }
  }
}

extension BenchmarkingError {
  fileprivate var exitCode: Int32 {
    switch self {
    case .noConfiguration, .unreadable, .nothingToPropose: ExitCodes.noInput
    case .tooLarge, .notTOML, .unknownKey, .missingKey, .wrongType, .emptyValue, .badBenchName:
      ExitCodes.badInput
    case .unknownBench: ExitCodes.usage
    case .buildNotStarted, .buildFailed: 3
    case .alreadyConfigured, .unwritable: ExitCodes.cannotCreate
    }
  }
}

extension ReportingError {
  fileprivate var exitCode: Int32 {
    switch self {
    case .suppressions: ExitCodes.badInput
    case .condition: ExitCodes.usage
    case .noHeap: ExitCodes.notMeasured
    }
  }
}
