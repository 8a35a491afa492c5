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
  @OptionGroup var metric: MetricOption

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
    let (profile, source) = try input.read(metric)
    let selected = try metric.select(from: profile, source: source)
    let bytes =
      switch format {
      // All values in one file, unless one was asked for.
      case .pprof: Data(Pprof.encode(metric.metric == nil ? profile : selected))
      case .folded: Data(Folded.encode(selected).utf8)
      }
    try OutputFile.write(bytes, to: output)
  }
}
