import ArgumentParser
import Foundation
import ProfileFormats

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

  @OptionGroup var input: InputArgument

  @Option(
    name: [.short, .long], help: "The format; follows from the file's name when left out.")
  var format: Format?

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The file to write; - for standard output.", valueName: "file"),
    completion: .file())
  var output: String

  func run() throws {
    guard let format = format ?? Format(suffixOf: output) else {
      throw CLIError.unknownFormat(path: output, known: Format.allCases.map(\.rawValue))
    }
    let profile = try input.read().profile
    let bytes =
      switch format {
      case .pprof: Data(Pprof.encode(profile))
      case .folded: Data(Folded.encode(profile).utf8)
      }
    try OutputFile.write(bytes, to: output)
  }
}
