import Testing

@testable import Benchmarking

struct ConfigurationTests {
  private func configuration(_ toml: String) throws(BenchmarkingError) -> Configuration {
    try Configuration(toml: toml, path: "/project/qprof.toml")
  }

  @Test func readsEveryKey() throws {
    let read = try configuration(
      """
      [bench.sign]
      module = "crypto"
      build = ["make", "sign"]
      command = ["./sign", "--seconds", "5"]
      env = { KEY = "a b", EMPTY = "" }
      cwd = "benches"
      """)
    #expect(
      read.benches == [
        Bench(
          name: "sign", module: "crypto", build: .arguments(["make", "sign"]),
          command: .arguments(["./sign", "--seconds", "5"]),
          environment: ["KEY": "a b", "EMPTY": ""], workingDirectory: "/project/benches")
      ])
  }

  @Test func defaultsFillWhatABenchLeavesOut() throws {
    let read = try configuration(
      """
      [defaults]
      module = "crypto"
      build = "make all"
      env = { A = "1", B = "1" }
      cwd = "/elsewhere"
      [bench.b]
      command = ["./b"]
      [bench.a]
      command = "./a | tee log"
      module = "dag"
      build = ["true"]
      env = { B = "2" }
      cwd = "here"
      """)
    #expect(read.benches.map(\.name) == ["a", "b"])
    #expect(
      try read.bench(named: "a")
        == Bench(
          name: "a", module: "dag", build: .arguments(["true"]), command: .shell("./a | tee log"),
          environment: ["A": "1", "B": "2"], workingDirectory: "/project/here"))
    #expect(
      try read.bench(named: "b")
        == Bench(
          name: "b", module: "crypto", build: .shell("make all"), command: .arguments(["./b"]),
          environment: ["A": "1", "B": "1"], workingDirectory: "/elsewhere"))
  }

  @Test func aStringRunsInTheShell() throws {
    #expect(Command.shell("a | b").argv == ["/bin/sh", "-c", "a | b"])
    #expect(Command.arguments(["a", "b c"]).argv == ["a", "b c"])
  }

  @Test(arguments: [
    ("/project/qprof.toml", "/project"), ("/qprof.toml", "/"), ("qprof.toml", "."),
  ])
  func runsBesideTheFile(path: String, folder: String) throws {
    let toml = "[bench.a]\nmodule = 'm'\ncommand = 'a'"
    #expect(
      try Configuration(toml: toml, path: path).bench(named: "a").workingDirectory == folder)
  }

  @Test func anEmptyFileHasNoBenches() throws {
    #expect(try configuration("").benches.isEmpty)
    #expect(try configuration("[bench]").benches.isEmpty)
  }

  /// Every way to be wrong, and the whole message a user reads.
  @Test(arguments: [
    (
      "[bench.a]\nmodul = 'm'\ncommand = 'c'",
      "[bench.a] has the unknown key 'modul'; did you mean 'module'? "
        + "known: build, command, cwd, env, module"
    ),
    (
      "[bench.a]\nmodule = 'm'\nxyzzy = 1\ncommand = 'c'",
      "[bench.a] has the unknown key 'xyzzy'; known: build, command, cwd, env, module"
    ),
    (
      "[default]\nmodule = 'm'",
      "the top level has the unknown key 'default'; did you mean 'defaults'? "
        + "known: bench, defaults"
    ),
    (
      "[defaults]\ncommand = 'c'",
      "[defaults] has the unknown key 'command'; known: build, cwd, env, module"
    ),
    (
      "[bench.a]\ncommand = 'c'",
      "[bench.a] has no 'module'; add one here or in [defaults]"
    ),
    (
      "[bench.a]\nmodule = 'm'",
      "[bench.a] has no 'command'; add one, such as command = [\"./bench\"]"
    ),
    (
      "[bench.a]\nmodule = 1\ncommand = 'c'",
      "'module' in [bench.a] must be a string, and is of type integer"
    ),
    (
      "[bench.a]\nmodule = 'm'\ncommand = true",
      "'command' in [bench.a] must be a string or an array of strings, and is of type bool"
    ),
    (
      "[bench.a]\nmodule = 'm'\ncommand = ['c', 1]",
      "'command' in [bench.a] must be an array of strings only, and is of type integer"
    ),
    (
      "[bench.a]\nmodule = 'm'\ncommand = []",
      "'command' in [bench.a] is empty; give it a value or leave it out"
    ),
    (
      "[bench.a]\nmodule = 'm'\ncommand = ''",
      "'command' in [bench.a] is empty; give it a value or leave it out"
    ),
    (
      "[bench.a]\nmodule = 'm'\ncommand = 'c'\nenv = { N = 5 }",
      "'N' in [bench.a.env] must be a string, and is of type integer"
    ),
    (
      "[bench.a]\nmodule = 'm'\ncommand = 'c'\nenv = 'N=5'",
      "'env' in [bench.a] must be a table, and is of type string"
    ),
    ("bench = 5", "'bench' in the top level must be a table, and is of type integer"),
    ("[bench]\na = 5", "'a' in [bench] must be a table, and is of type integer"),
    (
      "[bench.'a b']\nmodule = 'm'\ncommand = 'c'",
      "\"a b\" cannot name a bench; names have no spaces and no '/', "
        + "and begin with neither '-' nor '.'"
    ),
  ])
  func namesWhatIsWrong(toml: String, message: String) {
    let error = #expect(throws: BenchmarkingError.self) { try configuration(toml) }
    #expect(error?.description == "/project/qprof.toml: " + message)
  }

  @Test(arguments: ["", "-a", ".a", "a/b", "a\\nb", "a\\tb"])
  func refusesNamesThatCommandLinesAndFilesCannotCarry(name: String) {
    #expect(throws: BenchmarkingError.self) {
      try configuration("[bench.\"\(name)\"]\nmodule = 'm'\ncommand = 'c'")
    }
  }

  @Test func syntaxErrorsHaveALine() {
    let error = #expect(throws: BenchmarkingError.self) { try configuration("a = 1\n\nb = \n") }
    #expect(error?.description.hasPrefix("/project/qprof.toml:3: not valid TOML: ") == true)
    let twice = #expect(throws: BenchmarkingError.self) { try configuration("a = 1\na = 2\n") }
    #expect(twice?.description.hasPrefix("/project/qprof.toml:2: not valid TOML: ") == true)
  }

  @Test(arguments: ["\0[bench.a]", "a = \"b\\u0000\"", "\"a\\U00000000\" = 1"])
  func aNulDoesNotHideWhatFollowsIt(line: String) {
    #expect(
      throws: BenchmarkingError.notTOML(
        path: "/project/qprof.toml", line: 3, reason: "a NUL character")
    ) { try configuration("\n\n\(line)\n") }
  }

  private static let header = "a table header must begin with a name, as in [bench.NAME]"

  /// toml++ aborts on these, wherever they stand behind strings that look like them.
  @Test(arguments: [
    ("[=]", header), ("[[.a]]", header), ("  [ ,", header), ("[[[a]]]", header), ("[é]", header),
    ("[\n", header), ("[#", header), ("[[ {", header), ("d = [ 1, }", "'}' closes nothing"),
    ("d = }", "'}' closes nothing"), ("d = { a = ]", "']' closes nothing"),
    ("d = 07:3", #"":" outside of strings"#), ("d: 1", #"":" outside of strings"#),
    ("d = 1979-05-27t=':'", #""=" outside of strings"#),
    ("d = [ 1979-05-27t':'", #""\'" outside of strings"#),
    ("d = { a = 1979-05-27t\"", #""\"" outside of strings"#),
    ("d = [ é ]", #""é" outside of strings"#), ("\u{1}", #""\u{01}" outside of strings"#),
  ])
  func structureThatWouldAbortTheParserIsAnError(line: String, reason: String) {
    let strings = #"a = """\#n[=]\"""""\#nb = '''\#n[=]'''\#nc = '\' # "é\#n"#
    #expect(
      throws: BenchmarkingError.notTOML(path: "/project/qprof.toml", line: 7, reason: reason)
    ) { try configuration("\u{FEFF}# [=]\r\n" + strings + line + "\n") }
  }

  @Test func scriptsMayHaveLinesThatLookLikeHeaders() throws {
    let script = "[ $x = 1 ] && echo \"it's\"\n[[ $y ]]\n"
    let read = try configuration(
      """
      [bench.a]
      module = 'm' # it's
      command = '''
      \(script)'''
      [ bench.b ]
      module = 'm'
      command = [
        'b',
      ]
      """)
    #expect(try read.bench(named: "a").command == .shell(script))
    #expect(try read.bench(named: "b").command == .arguments(["b"]))
  }

  @Test func hugeFilesAreRefused() {
    #expect(throws: BenchmarkingError.tooLarge(path: "/project/qprof.toml", limit: 1 << 20)) {
      try configuration(String(repeating: "#", count: (1 << 20) + 1))
    }
  }

  @Test func deepNestingIsAnErrorAndNoCrash() {
    #expect(throws: BenchmarkingError.self) {
      try configuration("a = " + String(repeating: "[", count: 200_000))
    }
  }

  @Test func anUnknownBenchListsTheNearest() throws {
    let few = try configuration(
      "[defaults]\nmodule = 'm'\n[bench]\nml_dsa.command = 'a'\nml_kem.command = 'b'")
    let typo = #expect(throws: BenchmarkingError.self) { try few.bench(named: "ml_dsb") }
    #expect(
      typo?.description
        == "/project/qprof.toml has no bench 'ml_dsb'; did you mean 'ml_dsa'? known: ml_dsa, ml_kem"
    )
    let many = try configuration(
      "[defaults]\nmodule = 'm'\n[bench]\n"
        + (10..<30).map { "bench\($0).command = 'c'\n" }.joined())
    let missing = #expect(throws: BenchmarkingError.self) { try many.bench(named: "zebra") }
    #expect(missing?.description.contains("20 are known, among them bench10, bench11,") == true)
    let none = #expect(throws: BenchmarkingError.self) {
      try configuration("").bench(named: "a")
    }
    #expect(none?.description == "/project/qprof.toml has no bench 'a'; none is known there")
  }
}
