import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import Reporting

@Suite struct HeapReportTests {
  private let everything = Report.Options(showsTree: true, showsThreads: true)

  private func example() throws -> Report {
    let suppressions = try Suppressions("leak:__freeres_pool", source: "x")
    return Report(
      HeapBuilder.example().built, source: "server.qprof", options: everything,
      suppressions: suppressions)
  }

  @Test func goldenText() throws {
    try golden(ReportText(example()).text, "heap.txt")
  }
}

@Suite struct HTMLReportTests {
  @Test func goldenPage() throws {
    let suppressions = try Suppressions("leak:__freeres_pool", source: "x")
    let report = Report(
      HeapBuilder.example().built, source: "server.qprof", suppressions: suppressions)
    try golden(String(decoding: HTMLReport(report).bytes, as: UTF8.self), "heap.html")
  }
}
