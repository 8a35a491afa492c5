import ProfileModel

/// The file formats that qprof reads.
package enum ProfileFormat: String, Hashable, Sendable, CaseIterable {
  case recording = "qprof recording"
  case pprof = "pprof"
  case folded = "folded stacks"
  case perfScript = "perf script text"
}

/// Why a file could not be read as a profile.
package struct ProfileFormatError: Error, Hashable, Sendable {
  /// Nil while only bytes were at hand.
  package var path: String?
  package var problem: Problem

  package enum Problem: Hashable, Sendable {
    case noSuchFile
    case noPermission
    /// Reading failed; the reason is the system's.
    case failed(reason: String)
    case empty
    case unknownFormat
    /// The binary file of `perf record`.
    case perfData
    case tooLarge(limit: Int)
    /// A pprof file without the values asked for; `present` are the kinds it has.
    case noSuchValues(ProfileValues, present: [String])
    /// `rule` is the first rule of the format that does not hold.
    case malformed(ProfileFormat, at: Place?, rule: String)
    case recording(RecordingError)
  }

  /// Where in the input, counted from byte 0 of the unpacked data or from line 1.
  package enum Place: Hashable, Sendable {
    case byte(Int)
    case line(Int)
  }

  package init(_ problem: Problem, path: String? = nil) {
    self.problem = problem
    self.path = path
  }

  static func pprof(at byte: Int? = nil, _ rule: String) -> Self {
    Self(.malformed(.pprof, at: byte.map { .byte($0) }, rule: rule))
  }
}

extension ProfileFormatError: CustomStringConvertible {
  package var description: String {
    let file = path.map { "'\($0)'" } ?? "the input"
    return switch problem {
    case .noSuchFile: "there is no file \(file); check the path"
    case .noPermission: "\(file) may not be read; check its permissions and those of its folder"
    case .failed(let reason): "\(file) could not be read: \(reason)"
    case .empty: "\(file) is empty; was the program that should write it interrupted?"
    case .unknownFormat:
      "\(file) is in no format that qprof reads; it reads "
        + ProfileFormat.allCases.map(\.rawValue).joined(separator: ", ")
    case .perfData:
      "\(file) is a data file of perf; turn it into text first: "
        + "perf script -i \(path ?? "perf.data") > perf.txt"
    case .tooLarge(let limit):
      "\(file) holds more than \(limit >> 20) MiB when unpacked, which no profile needs; check "
        + "where it comes from"
    case .noSuchValues(let values, let present):
      "\(file) has no \(values.kind) values; it has \(present.joined(separator: ", ")): choose "
        + "another --metric"
    case .malformed(let format, let place, let rule):
      "\(file) is not valid as \(format.rawValue)\(place.map(Self.text) ?? ""): \(rule); make or "
        + "copy it anew"
    case .recording(let error): error.description
    }
  }

  private static func text(_ place: Place) -> String {
    switch place {
    case .byte(let offset): ", byte \(offset)"
    case .line(let number): ", line \(number)"
    }
  }
}

extension ProfileValues {
  /// As pprof names it.
  fileprivate var kind: String {
    switch self {
    case .fileDefault: "default"
    case .cpu: "cpu"
    case .heap(let metric): metric.valueType.kind
    }
  }
}
