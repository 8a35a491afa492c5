import TestSupport
import Testing

@testable import Benchmarking

struct ConfigurationFuzzTests {
  private static let sample = """
    [defaults]
    module = "crypto"
    build = ["make", "bench"]
    env = { A = "1", "B C" = '2' }
    [bench.ml_dsa]
    command = ["./ml_dsa", "\\u00e9"]
    cwd = "x"
    [bench."ml.kem"]
    command = '''
    ./ml_kem | tee log'''
    build = "make"
    """

  private static let pieces = [
    "[", "]", "{", "}", "\"", "'''", "'", "=", ".", ",", ":", "-", "+", "\n", "\r", "#", "\\",
    "\\u",
    "bench", "[[bench]]", "= [", "= 1e999", "= 0x", "= 1979-05-27", "T07:32:00", "true", "é",
    "\u{1F600}", "\u{FFFE}", "\u{1}", "-9223372036854775809",
  ]

  /// Broken text gives an error or a configuration that keeps its promises, and never a crash.
  @Test func mutatedFilesNeverCrash() {
    let seed: UInt64 = 0xbe9c
    var random = RepeatableRandom(seed: seed)
    var accepted = 0
    for round in 0..<3_000 {
      let toml = Self.mutated(using: &random)
      guard let read = try? Configuration(toml: toml, path: "qprof.toml") else { continue }
      accepted += 1
      let names = read.benches.map(\.name)
      #expect(names == names.sorted() && Set(names).count == names.count, "seed \(seed) \(round)")
      for bench in read.benches {
        #expect(bench.command.argv.first?.isEmpty == false, "seed \(seed) \(round)")
        #expect(!bench.module.isEmpty && !bench.name.isEmpty, "seed \(seed) \(round)")
      }
    }
    // Both outcomes were exercised.
    #expect(accepted > 10 && accepted < 2_990, "seed \(seed): accepted \(accepted)")
  }

  /// The same for text without sense.
  @Test func randomTextNeverCrashes() {
    let seed: UInt64 = 0x70a1
    var random = RepeatableRandom(seed: seed)
    var accepted = 0
    for _ in 0..<10_000 {
      let length = Int.random(in: 1...14, using: &random)
      let toml = (0..<length).compactMap { _ in Self.pieces.randomElement(using: &random) }.joined()
      if (try? Configuration(toml: toml, path: "qprof.toml")) != nil { accepted += 1 }
    }
    #expect(accepted > 0 && accepted < 10_000, "seed \(seed): accepted \(accepted)")
  }

  private static func mutated(using random: inout RepeatableRandom) -> String {
    var scalars = Array(sample.unicodeScalars)
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let at = Int.random(in: 0..<scalars.count, using: &random)
      let end = min(scalars.count, at + Int.random(in: 0...6, using: &random))
      let piece = pieces.randomElement(using: &random) ?? ""
      scalars.replaceSubrange(
        at..<end, with: Bool.random(using: &random) ? Array(piece.unicodeScalars) : [])
      if scalars.isEmpty { return "" }
    }
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
  }
}
