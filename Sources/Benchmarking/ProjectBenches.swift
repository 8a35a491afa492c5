import Foundation
import TOMLKit

// One function per build system. What a manifest computes at build time is not seen; `qprof init`
// writes a first draft for a person to edit.

/// `[[bench]]` tables and, unless `autobenches = false`, `benches/*.rs` and `benches/*/main.rs`.
///
/// Cargo puts a hash into the name of a bench's binary, so the bench is run through Cargo; its own
/// share is small once `--no-run` has built everything.
func cargoBenches(in project: ProjectFiles) -> [ProposedBench] {
  project.manifests(named: "Cargo.toml").flatMap { folder, text -> [ProposedBench] in
    guard let manifest = try? parseTOML(text), let package = manifest["package"]?.table,
      let module = package["name"]?.string
    else { return [] }
    var names: Set<String> = []
    for bench in manifest["bench"]?.array.map(Array.init) ?? [] {
      if let name = bench.table?["name"]?.string { names.insert(name) }
    }
    if package["autobenches"]?.bool != false {
      names.formUnion(rustTargets(in: project.paths, under: folder))
    }
    let manifestPath = folder.isEmpty ? "Cargo.toml" : folder + "/Cargo.toml"
    return names.map { name in
      let command = ["cargo", "bench", "--manifest-path", manifestPath, "--bench", name]
      return ProposedBench(
        name: name, module: module, build: command + ["--no-run"], command: command,
        environment: ["CARGO_PROFILE_BENCH_DEBUG": "true"])
    }
  }
}

private func rustTargets(in paths: [String], under folder: String) -> [String] {
  let prefix = (folder.isEmpty ? "" : folder + "/") + "benches/"
  return paths.compactMap { path in
    guard path.hasPrefix(prefix), path.hasSuffix(".rs") else { return nil }
    let parts = path.dropFirst(prefix.count).dropLast(3).split(separator: "/")
    if parts.count == 1 { return String(parts[0]) }
    return parts.count == 2 && parts[1] == "main" ? String(parts[0]) : nil
  }
}

/// Executable targets whose names contain "bench".
func swiftBenches(in project: ProjectFiles) -> [ProposedBench] {
  project.manifests(named: "Package.swift").flatMap { folder, text -> [ProposedBench] in
    let text = withoutComments(text, from: "//")
    let module = text.firstMatch(of: /\bPackage\s*\(\s*name\s*:\s*"([^"\\]+)"/)?.1 ?? "main"
    let targets = text.matches(of: /\.executableTarget\s*\(\s*name\s*:\s*"([^"\\]+)"/)
    let location = folder.isEmpty ? [] : ["--package-path", folder]
    let products = (folder.isEmpty ? "" : folder + "/") + ".build/release/"
    return benchNames(targets.map { String($0.1) }).map { name in
      ProposedBench(
        name: name, module: String(module),
        build: ["swift", "build", "-c", "release"] + location + ["--product", name],
        command: [products + name])
    }
  }
}

/// `add_executable` targets whose names contain "bench", if the project's folder itself has a
/// `CMakeLists.txt`.
func cmakeBenches(in project: ProjectFiles) -> [ProposedBench] {
  guard let root = project.manifests["CMakeLists.txt"] else { return [] }
  let module =
    withoutComments(root, from: "#")
    .firstMatch(of: /(?i)\bproject\s*\(\s*"?([A-Za-z0-9_.+-]+)/)?.1 ?? "main"
  return project.manifests(named: "CMakeLists.txt").flatMap { folder, text -> [ProposedBench] in
    // A name with ${…} in it is known to CMake only and does not match.
    let targets = withoutComments(text, from: "#")
      .matches(of: /(?i)\badd_executable\s*\(\s*"?([A-Za-z0-9_.+-]+)"?[\s)]/)
    let output = folder.isEmpty ? "build/" : "build/" + folder + "/"
    return benchNames(targets.map { String($0.1) }).map { name in
      let script =
        "cmake -S . -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo"
        + " && cmake --build build --target \(name)"
      return ProposedBench(
        name: name, module: String(module), build: ["/bin/sh", "-c", script],
        command: [output + name])
    }
  }
}

private func benchNames(_ names: [String]) -> Set<String> {
  Set(names.filter { $0.lowercased().contains("bench") })
}

private func withoutComments(_ text: String, from marker: String) -> String {
  text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    .map { line in line.range(of: marker).map { line[..<$0.lowerBound] } ?? line }
    .joined(separator: "\n")
}
