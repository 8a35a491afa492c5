import Testing

@testable import Benchmarking

struct ProposedConfigurationTests {
  private func benches(_ project: ProjectFiles) throws -> [Bench] {
    let text = try #require(proposedConfiguration(for: project))
    return try Configuration(toml: text, path: "/p/qprof.toml").benches
  }

  @Test func theTextAsAPersonReadsIt() throws {
    let project = ProjectFiles(
      paths: ["Package.swift"],
      manifests: [
        "Package.swift": """
        let package = Package(name: "net", targets: [.executableTarget(name: "FrameBench")])
        """
      ])
    #expect(
      proposedConfiguration(for: project) == """
        # Written by `qprof init`. Run one with: qprof record --bench NAME

        [bench.FrameBench]
        module = "net"
        build = ["swift", "build", "-c", "release", "--product", "FrameBench"]
        command = [".build/release/FrameBench"]

        """)
  }

  @Test func cargoListsDeclaredAndDiscoveredBenches() throws {
    let project = ProjectFiles(
      paths: [
        "Cargo.toml", "benches/order.rs", "benches/big/main.rs", "benches/big/helper.rs",
        "src/lib.rs", "other/benches/foreign.rs",
      ],
      manifests: ["Cargo.toml": "[package]\nname = \"dag\"\n[[bench]]\nname = \"declared\""])
    let found = try benches(project)
    #expect(found.map(\.name) == ["big", "declared", "order"])
    #expect(found.allSatisfy { $0.module == "dag" })
    let command = ["cargo", "bench", "--manifest-path", "Cargo.toml", "--bench", "big"]
    #expect(found.first?.command == .arguments(command))
    #expect(found.first?.build == .arguments(command + ["--no-run"]))
    #expect(found.first?.environment == ["CARGO_PROFILE_BENCH_DEBUG": "true"])
  }

  @Test func cargoWithoutDiscoveryAndWithoutPackage() throws {
    let project = ProjectFiles(
      paths: ["Cargo.toml", "a/Cargo.toml", "a/benches/no.rs", "a/benches/yes.rs"],
      manifests: [
        "Cargo.toml": "[workspace]\nmembers = [\"a\"]",
        "a/Cargo.toml":
          "[package]\nname = \"a\"\nautobenches = false\n[[bench]]\nname = \"yes\"",
        "b/Cargo.toml": "not = [toml", "c/Cargo.toml": "[=]",
      ])
    #expect(try benches(project).map(\.name) == ["yes"])
  }

  @Test func sameNamesInTwoModulesStayApart() throws {
    let project = ProjectFiles(
      paths: ["a/benches/main.rs", "b/benches/main.rs"],
      manifests: [
        "a/Cargo.toml": "[package]\nname = \"a\"", "b/Cargo.toml": "[package]\nname = \"b\"",
      ])
    #expect(try benches(project).map(\.name) == ["b-main", "main"])
  }

  @Test func swiftPackagesInFolders() throws {
    let project = ProjectFiles(
      paths: [],
      manifests: [
        "Benchmarks/Package.swift": """
        let package = Package(
          name: "suite",
          targets: [
            .executableTarget(
              name: "hash-bench", dependencies: []),
            // .executableTarget(name: "old-bench"),
            .executableTarget(name: "tool"),
            .target(name: "BenchSupport"),
          ])
        """
      ])
    let found = try benches(project)
    #expect(found.map(\.name) == ["hash-bench"])
    #expect(found.first?.module == "suite")
    #expect(found.first?.command == .arguments(["Benchmarks/.build/release/hash-bench"]))
    #expect(
      found.first?.build
        == .arguments([
          "swift", "build", "-c", "release", "--package-path", "Benchmarks", "--product",
          "hash-bench",
        ]))
  }

  @Test func cmakeTargets() throws {
    let project = ProjectFiles(
      paths: [],
      manifests: [
        "CMakeLists.txt": "project(proto CXX)\nadd_subdirectory(perf)\nadd_executable(app a.c)",
        "perf/CMakeLists.txt": """
        # add_executable(old_bench old.c)
        ADD_EXECUTABLE( codec_bench
          codec.c)
        add_executable(${NAME}_bench x.c)
        """,
      ])
    let found = try benches(project)
    #expect(found.map(\.name) == ["codec_bench"])
    #expect(found.first?.module == "proto")
    #expect(found.first?.command == .arguments(["build/perf/codec_bench"]))
    #expect(found.first?.build?.text.contains("--target codec_bench") == true)
  }

  @Test func cmakeNeedsATopLevelFile() {
    let project = ProjectFiles(
      paths: [], manifests: ["x/CMakeLists.txt": "add_executable(a_bench a.c)"])
    #expect(proposedConfiguration(for: project) == nil)
  }

  @Test func namesThatNeedQuotesSurvive() throws {
    let name = "odd.\"name\\bench"
    let project = ProjectFiles(
      paths: ["benches/\(name).rs"], manifests: ["Cargo.toml": "[package]\nname = \"m\""])
    #expect(try benches(project).map(\.name) == [name])
  }
}
