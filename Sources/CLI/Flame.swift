import ArgumentParser
import FlameGraph
import Foundation
import ProfileModel

struct Flame: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw a profile as a flame graph, or the difference of two.",
    discussion: "Example: qprof flame -o after.svg --diff before.qprof after.qprof")

  enum Grouping: String, ExpressibleByArgument, CaseIterable {
    case none
    case process
    case thread
  }

  @OptionGroup var input: InputArgument
  @OptionGroup var metric: MetricOption

  @Option(
    name: [.short, .long],
    help: ArgumentHelp("The SVG file to write; - for standard output.", valueName: "file"),
    completion: .file(extensions: ["svg"]))
  var output: String

  @Option(
    help: ArgumentHelp("Show what changed since this profile.", valueName: "base"),
    completion: .file())
  var diff: String?

  @Flag(help: "With --diff: compare amounts instead of shares, where both did the same work.")
  var absolute = false

  @Option(help: "The title; the bench or program when left out.")
  var title: String?

  @Option(help: ArgumentHelp("Width of the picture.", valueName: "pixels"))
  var width = 1200

  @Option(help: "The frames below the stacks; by process when there are several.")
  var group: Grouping?

  @Flag(help: "Put the root at the top.")
  var icicle = false

  func validate() throws {
    guard (200...20_000).contains(width) else {
      throw ValidationError("--width must be from 200 to 20000, and is \(width).")
    }
    guard !absolute || diff != nil else {
      throw ValidationError("--absolute is about a difference; add --diff BASE.")
    }
    guard output == "-" || output.hasSuffix(".svg") else {
      throw ValidationError("-o must end in .svg, and is '\(output)'.")
    }
  }

  func run() throws {
    let (whole, source) = try input.read(metric)
    let profile = try metric.select(from: whole, source: source)
    let svg =
      if let diff {
        DifferentialFlameGraph(
          base: try base(at: diff, for: profile), current: profile, options: options
        ).svg()
      } else {
        FlameGraph(profile, options: options).svg()
      }
    try OutputFile.write(Data(svg.utf8), to: output)
  }

  /// The profile to compare with, of the same metric.
  private func base(at path: String, for profile: Profile) throws -> Profile {
    let metric = metric.following(profile)
    let base = try metric.select(from: try InputArgument.profile(at: path, metric), source: path)
    guard base.heapMetric == profile.heapMetric else { throw CLIError.incomparable(base: path) }
    return base
  }

  private var options: FlameGraphOptions {
    var options = FlameGraphOptions()
    options.title = title
    options.width = width
    options.icicle = icicle
    options.scalesBase = absolute ? false : nil
    options.grouping = group.map {
      switch $0 {
      case .none: .none
      case .process: .process
      case .thread: .thread
      }
    }
    return options
  }
}
