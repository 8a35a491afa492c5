import TOMLKit

/// A TOML table that knows which keys were asked for, so that all others can be refused: a new
/// key is one more call, and no list has to be kept.
struct StrictTable {
  /// As written in the file, with brackets; empty at the top.
  let name: String
  private let path: String
  private let table: TOMLTable
  private var known: [String] = []

  /// Far above any file a person writes, and small enough to read at once.
  static let maximumBytes = 1 << 20

  init(toml: String, path: String) throws(BenchmarkingError) {
    guard toml.utf8.count <= Self.maximumBytes else {
      throw .tooLarge(path: path, limit: Self.maximumBytes)
    }
    do {
      self.init(table: try parseTOML(toml), name: "", path: path)
    } catch {
      throw .notTOML(path: path, line: error.line, reason: error.reason)
    }
  }

  private init(table: TOMLTable, name: String, path: String) {
    self.table = table
    self.name = name
    self.path = path
  }

  /// Throws for the first key, by name, that was never asked for.
  func rejectUnknownKeys() throws(BenchmarkingError) {
    guard let unknown = table.keys.filter({ !known.contains($0) }).min() else { return }
    throw .unknownKey(path: path, table: name, key: unknown, known: known.sorted())
  }

  mutating func string(_ key: String) throws(BenchmarkingError) -> String? {
    guard let value = value(key) else { return nil }
    guard let text = value.string else { throw mismatch(key, "a string", value) }
    return try nonEmpty(text, key)
  }

  /// An array of strings, or a string for the shell.
  mutating func command(_ key: String) throws(BenchmarkingError) -> Command? {
    guard let value = value(key) else { return nil }
    if let script = value.string { return .shell(try nonEmpty(script, key)) }
    guard let array = value.array else {
      throw mismatch(key, "a string or an array of strings", value)
    }
    var arguments: [String] = []
    for element in array {
      guard let argument = element.string else {
        throw mismatch(key, "an array of strings only", element)
      }
      arguments.append(argument)
    }
    _ = try nonEmpty(arguments.first ?? "", key)
    return .arguments(arguments)
  }

  /// A table of strings.
  mutating func strings(_ key: String) throws(BenchmarkingError) -> [String: String]? {
    guard let table = try table(key) else { return nil }
    var result: [String: String] = [:]
    for key in table.table.keys {
      guard let value = table.table[key] else { continue }
      guard let text = value.string else { throw table.mismatch(key, "a string", value) }
      result[key] = text
    }
    return result
  }

  mutating func table(_ key: String) throws(BenchmarkingError) -> StrictTable? {
    guard let value = value(key) else { return nil }
    guard let table = value.table else { throw mismatch(key, "a table", value) }
    return StrictTable(table: table, name: tableName(key), path: path)
  }

  /// A table of tables with names of the user's choice.
  mutating func tables(_ key: String) throws(BenchmarkingError) -> [(String, StrictTable)] {
    guard var parent = try table(key) else { return [] }
    var result: [(String, StrictTable)] = []
    for name in parent.table.keys {
      if let table = try parent.table(name) { result.append((name, table)) }
    }
    return result
  }

  private mutating func value(_ key: String) -> (any TOMLValueConvertible)? {
    known.append(key)
    return table[key]
  }

  private func tableName(_ key: String) -> String {
    name.isEmpty ? "[\(key)]" : name.dropLast() + ".\(key)]"
  }

  private func nonEmpty(_ text: String, _ key: String) throws(BenchmarkingError) -> String {
    if text.isEmpty { throw .emptyValue(path: path, table: name, key: key) }
    return text
  }

  private func mismatch(
    _ key: String, _ expected: String, _ value: any TOMLValueConvertible
  ) -> BenchmarkingError {
    .wrongType(path: path, table: name, key: key, expected: expected, found: "\(value.type)")
  }
}
