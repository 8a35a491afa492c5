/// The content of a `qprof.toml`:
///
///     [defaults]                 # module, build, env, cwd for every bench that has none
///     [bench.NAME]
///     module = "crypto"          # required, here or in the defaults
///     command = ["./bench"]      # required; a string is run by /bin/sh -c
///     build = ["make", "bench"]  # run before, not profiled
///     env = { KEY = "value" }    # added to the environment; bench over defaults, key by key
///     cwd = "folder"             # relative to the folder of this file
///
/// A key that is not known is an error, because a misspelt one would otherwise be a default.
package struct Configuration: Hashable, Sendable {
  /// The file it was read from.
  package let path: String
  /// Sorted by name.
  package let benches: [Bench]

  /// Reads the text of the file at `path`. Nothing is opened.
  package init(toml: String, path: String) throws(BenchmarkingError) {
    var root = try StrictTable(toml: toml, path: path)
    let defaults = try Settings(root.table("defaults"))
    let tables = try root.tables("bench")
    try root.rejectUnknownKeys()
    try defaults.table?.rejectUnknownKeys()

    self.path = path
    var benches: [Bench] = []
    for (name, table) in tables {
      benches.append(try Self.bench(name, table, defaults: defaults, path: path))
    }
    self.benches = benches.sorted { $0.name < $1.name }
  }

  /// The bench of that name, or an error that lists the nearest ones.
  package func bench(named name: String) throws(BenchmarkingError) -> Bench {
    if let bench = benches.first(where: { $0.name == name }) { return bench }
    throw .unknownBench(path: path, name: name, known: benches.map(\.name))
  }

  private static func bench(
    _ name: String, _ table: StrictTable, defaults: Settings, path: String
  ) throws(BenchmarkingError) -> Bench {
    guard isUsable(name) else { throw .badBenchName(path: path, name: name) }
    var own = try Settings(table)
    let command = try own.table?.command("command")
    try own.table?.rejectUnknownKeys()
    guard let command else { throw .missingKey(path: path, table: table.name, key: "command") }
    guard let module = own.module ?? defaults.module else {
      throw .missingKey(path: path, table: table.name, key: "module")
    }
    return Bench(
      name: name, module: module, build: own.build ?? defaults.build, command: command,
      environment: defaults.environment.merging(own.environment) { $1 },
      workingDirectory: resolve(own.cwd ?? defaults.cwd ?? ".", besideFile: path))
  }

  /// Names are typed on command lines and become parts of file names.
  private static func isUsable(_ name: String) -> Bool {
    guard let first = name.first, first != "-", first != ".", name.utf8.count <= 200 else {
      return false
    }
    return name.unicodeScalars.allSatisfy {
      $0 != "/" && !$0.properties.isWhitespace && $0.properties.generalCategory != .control
    }
  }

  private static func resolve(_ folder: String, besideFile path: String) -> String {
    if folder.hasPrefix("/") { return folder }
    let base = parentFolder(of: path)
    if folder == "." { return base }
    return base.hasSuffix("/") ? base + folder : base + "/" + folder
  }
}

/// The keys that `[defaults]` and `[bench.NAME]` have in common.
private struct Settings {
  var table: StrictTable?
  var module: String?
  var build: Command?
  var environment: [String: String] = [:]
  var cwd: String?

  init(_ table: StrictTable?) throws(BenchmarkingError) {
    self.table = table
    module = try self.table?.string("module")
    build = try self.table?.command("build")
    environment = try self.table?.strings("env") ?? [:]
    cwd = try self.table?.string("cwd")
  }
}
