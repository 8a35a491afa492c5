import ArgumentParser
import Foundation

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a profile in a format that other tools read.",
    discussion: "Example: qprof export -o profile.pb.gz && go tool pprof -top profile.pb.gz")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case pprof
    case folded

    /// The format whose files end like `path`.
    init?(suffixOf path: String) {
      let suffixes: [(String, Format)] = [
        (".pb.gz", .pprof), (".pb", .pprof), (".pprof", .pprof), (".folded", .folded),
        (".collapsed", .folded), (".txt", .folded),
      ]
      guard let match = suffixes.first(where: { path.hasSuffix($0.0) }) else { return nil }
      self = match.1
    }
  }

  @OptionGroup var input: ProfileInput

  @Option(
    name: [.short, .long], help: "The format; follows from the name of the file if left out.")
  var format: Format?

  @Option(
    name: [.short, .long], help: "The file to write; - for standard output.", completion: .file())
  var output: String

  func run() throws {
    guard let format = format ?? Format(suffixOf: output) else {
      throw CLIError.unknownFormat(path: output, known: Format.allCases.map(\.rawValue))
    }
    let profile = try input.read().profile
    _ = profile
    switch format {
    case .pprof: break
    case .folded: break
    }
    try OutputFile.write(Data(), to: output)
  }
}
