import Foundation
import GRDB
import ProfileModel

/// A row of the table `meta`: one scalar of a profile under a key. Writer and reader share the
/// list, so that neither can forget a field.
struct MetaField {
  let key: String
  /// Nil when the profile has no such value; no row is written then.
  let value: (Profile) -> (any DatabaseValueConvertible)?
  /// False when the stored value has the wrong type.
  let store: (DatabaseValue, inout Profile) -> Bool

  static var all: [MetaField] {
    [
      field("value_kind", \.valueType.kind), field("value_unit", \.valueType.unit),
      period, command,
      field("working_directory", \.provenance.workingDirectory),
      optional("bench", \.provenance.bench),
      field("host", \.provenance.host), field("kernel", \.provenance.kernel),
      field("processors", \.provenance.processors),
      field("tool_version", \.provenance.toolVersion),
      optional("git_commit", \.provenance.gitCommit),
      field("start_time", \.provenance.startTime),
      field("duration_ns", \.provenance.duration.rawValue),
      field("engine", \.provenance.engine),
      field("requested_rate", \.provenance.requestedRate),
      field("effective_rate", \.provenance.effectiveRate),
      cpuTime, optional("peak_resident_bytes", \.provenance.peakResidentBytes), exit,
      heapMode,
    ]
  }

  private static func field<T: DatabaseValueConvertible>(
    _ key: String, _ path: WritableKeyPath<Profile, T>
  ) -> MetaField {
    MetaField(key: key, value: { $0[keyPath: path] }) { stored, profile in
      guard let value = T.fromDatabaseValue(stored) else { return false }
      profile[keyPath: path] = value
      return true
    }
  }

  private static func optional<T: DatabaseValueConvertible>(
    _ key: String, _ path: WritableKeyPath<Profile, T?>
  ) -> MetaField {
    MetaField(key: key, value: { $0[keyPath: path] }) { stored, profile in
      guard let value = T.fromDatabaseValue(stored) else { return false }
      profile[keyPath: path] = value
      return true
    }
  }

  /// `["cpu","nanoseconds",4000000]`
  private static var period: MetaField {
    MetaField(
      key: "period",
      value: { profile in
        profile.period.flatMap {
          json(StoredPeriod(kind: $0.type.kind, unit: $0.type.unit, value: $0.value))
        }
      },
      store: { stored, profile in
        guard let period = decoded(StoredPeriod.self, stored) else { return false }
        profile.period = Period(
          type: ValueType(kind: period.kind, unit: period.unit), value: period.value)
        return true
      })
  }

  private struct StoredPeriod: Codable {
    var kind: String
    var unit: String
    var value: Int64
  }

  private static var command: MetaField {
    MetaField(
      key: "command", value: { json($0.provenance.command) },
      store: { stored, profile in
        guard let command = decoded([String].self, stored) else { return false }
        profile.provenance.command = command
        return true
      })
  }

  private static var cpuTime: MetaField {
    MetaField(
      key: "cpu_time_ns", value: { $0.provenance.cpuTime?.rawValue },
      store: { stored, profile in
        guard let value = Int64.fromDatabaseValue(stored) else { return false }
        profile.provenance.cpuTime = Nanoseconds(value)
        return true
      })
  }

  private static var exit: MetaField {
    MetaField(
      key: "exit", value: { $0.provenance.exit.map(text) },
      store: { stored, profile in
        guard let status = String.fromDatabaseValue(stored).flatMap(exitStatus) else {
          return false
        }
        profile.provenance.exit = status
        return true
      })
  }

  /// Where it stands, the tables of a heap profile do too.
  private static var heapMode: MetaField {
    MetaField(
      key: RecordingSchema.heapModeKey, value: { $0.heap.map { text($0.mode) } },
      store: { stored, profile in
        guard let mode = String.fromDatabaseValue(stored).flatMap(heapMode) else { return false }
        profile.heap = HeapProfile(mode: mode)
        return true
      })
  }

  private static func text(_ mode: HeapProfile.Mode) -> String {
    switch mode {
    case .full: "full"
    case .sample(let interval): "sample \(interval.rawValue)"
    case .count: "count"
    }
  }

  private static func heapMode(_ text: String) -> HeapProfile.Mode? {
    let words = text.split(separator: " ")
    switch words.first {
    case "full" where words.count == 1: return .full
    case "count" where words.count == 1: return .count
    case "sample" where words.count == 2:
      return Int64(words[1]).map { .sample(interval: Bytes($0)) }
    default: return nil
    }
  }

  private static func text(_ status: Provenance.ExitStatus) -> String {
    switch status {
    case .exited(let code): "exited \(code)"
    case .signalled(let signal): "signalled \(signal)"
    case .leftRunning: "left running"
    }
  }

  private static func exitStatus(_ text: String) -> Provenance.ExitStatus? {
    if text == "left running" { return .leftRunning }
    let words = text.split(separator: " ")
    guard words.count == 2, let number = Int32(words[1]) else { return nil }
    switch words[0] {
    case "exited": return .exited(number)
    case "signalled": return .signalled(number)
    default: return nil
    }
  }

  /// JSON, because sqlite3's `json_each` takes it apart again.
  static func json(_ value: some Encodable) -> String? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) }
  }

  static func decoded<T: Decodable>(_ type: T.Type, _ stored: DatabaseValue) -> T? {
    String.fromDatabaseValue(stored).flatMap {
      try? JSONDecoder().decode(type, from: Data($0.utf8))
    }
  }
}
