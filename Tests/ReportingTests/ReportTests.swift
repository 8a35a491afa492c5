import Foundation
import ProfileModel
import Reporting
import TestSupport
import Testing

@Suite struct ReportTests {
  private let everything = Report.Options(showsTree: true, showsThreads: true)

  @Test func goldenText() throws {
    let report = Report(.example(), source: "ml_dsa.qprof", options: everything)
    try golden(ReportText(report).text, "example.txt")
  }

  @Test func goldenJSON() throws {
    let report = Report(.example(), source: "ml_dsa.qprof", options: everything)
    try golden(String(decoding: report.json(), as: UTF8.self), "example.json")
  }

  /// The sums of the example by hand: 186 ordinary samples, 3 + 8 + 1 of weight 1, one of 2.
  @Test func numbersByHand() throws {
    let json = try object(.example())
    let sampling = try #require(json["sampling"] as? [String: Any])
    #expect(sampling["weight"] as? Int == 200)
    #expect(sampling["samples"] as? Int == 199)
    #expect(sampling["sampledCPUSeconds"] as? Double == 0.8)
    #expect(try abs(#require(sampling["coverage"] as? Double) - 0.8 / 0.85) < 1e-12)
    let functions = try #require(json["functions"] as? [String: Any])
    let first = try #require((functions["bySelf"] as? [[String: Any]])?.first)
    #expect(first["name"] as? String == "keccak")
    let own = try #require(first["self"] as? [String: Any])
    #expect(own["weight"] as? Int == 95)
    #expect(own["share"] as? Double == 0.475)
    // sqrt(0.475 · 0.525 · (198 + 4) / 200²): one of the 199 samples weighs 2.
    let error = try #require(own["standardError"] as? Double)
    #expect(abs(error - (0.475 * 0.525 * 202 / 40_000).squareRoot()) < 1e-12)
  }

  @Test func textAndJSONAgree() throws {
    let text = ReportText(Report(.example(), source: "x", options: everything)).text
    let functions = try #require(object(.example())["functions"] as? [String: Any])
    for (key, measure) in [("bySelf", "self"), ("byCumulative", "cumulative")] {
      for row in try #require(functions[key] as? [[String: Any]]) {
        let name = try #require(row["name"] as? String)
        let values = try #require(row[measure] as? [String: Any])
        let seconds = try #require(values["seconds"] as? Double)
        let start = String(format: "%.0f ms", seconds * 1000)
        let lines = text.split(separator: "\n")
        #expect(
          lines.contains {
            $0.trimmingPrefix { $0 == " " }.hasPrefix(start) && $0.contains("  \(name)")
          }, "\(start) \(name)")
      }
    }
  }

  @Test func orderOptionGivesOneTable() {
    var options = Report.Options(top: 2)
    options.order = .cumulative
    let text = ReportText(Report(.example(), source: "x", options: options)).text
    #expect(text.contains("Functions by cumulative time (2 of"))
    #expect(!text.contains("Functions by self"))
    #expect(!text.contains("Call tree") && !text.contains("Threads"))
  }

  @Test func longChainsAreShownByTheirEnds() {
    var builder = ProfileBuilder()
    builder.add((1...20).map { "f\($0)" } + ["hot"], weight: 3)
    builder.add((1...20).map { "f\($0)" } + ["cold"], weight: 1)
    let options = Report.Options(showsTree: true)
    let text = ReportText(Report(builder.profile, source: "x", options: options)).text
    let tree = text.split(separator: "\n").drop { !$0.hasPrefix("Call tree") }.dropFirst(2)
    let names = tree.map { $0.split(separator: "  ").last.map(String.init) ?? "" }
    #expect(
      names.map { $0.trimmingPrefix(" ") } == [
        "f1", "f2", "f3", "⋮ 14 calls", "f18", "f19", "f20", "├─ hot", "└─ cold",
      ])
  }

  @Test func foldedStacksClaimNoCertainty() throws {
    var builder = ProfileBuilder()
    builder.add(["main", "hot"], weight: 1_234_567)
    builder.add(["main"], weight: 1)
    let text = ReportText(Report(builder.profile, source: "a.folded")).text
    #expect(text.contains("1,234,567"))
    #expect(!text.contains("±") && !text.contains("Notes"))
    let sampling = try #require(object(builder.profile)["sampling"] as? [String: Any])
    #expect(sampling["samples"] == nil && sampling["effectiveSamples"] == nil)
  }

  @Test func sizesKeepTheirUnit() {
    var builder = ProfileBuilder()
    builder.add(["main", "allocate"], weight: 3 << 20)
    builder.add(["main"], weight: 1 << 20)
    builder.profile.valueType = ValueType(kind: "inuse_space", unit: "bytes")
    let text = ReportText(Report(builder.profile, source: "a.pb.gz")).text
    #expect(text.contains("total     4.00 MiB"))
    #expect(text.contains("Functions by self inuse_space"))
    #expect(text.contains("3.00 MiB  75.0 %"))
  }

  @Test func emptyProfileSaysWhatToDo() {
    let text = ReportText(Report(Profile(), source: "a.qprof")).text
    #expect(text.contains("There are no samples"))
    #expect(!text.contains("Functions"))
  }

  @Test func fewSamplesSayHowMany() {
    var builder = ProfileBuilder()
    for time in 1...25 { builder.add(["main"], weight: 1, time: Nanoseconds(Int64(time))) }
    builder.profile.provenance.effectiveRate = 250
    let text = ReportText(Report(builder.profile, source: "a.qprof")).text
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    // 95 % score interval of 12.5 in 25: half width 1.96/(1 + 3.8415/25)·sqrt(0.25/25 + 3.8415/2500)
    #expect(text.contains("25 samples are few: a share is uncertain by up to 18.2 points."))
    #expect(text.contains("at least 100 samples (0.4 s of CPU time at this rate)"))
  }

  private func object(_ profile: Profile) throws -> [String: Any] {
    let data = try Report(profile, source: "ml_dsa.qprof", options: everything).json()
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }
}
