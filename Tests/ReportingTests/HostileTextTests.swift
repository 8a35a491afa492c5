import Foundation
import ProfileModel
import TestSupport
import Testing

@testable import Reporting

@Suite struct HostileTextTests {
  private static let names = [
    "\u{1b}[2J\u{1b}]0;owned\u{7}", "a\nb\rc", "\u{9b}31m", "x\u{202e}txt.exe", "nul\0byte",
    "\u{2066}iso", "line\u{2028}end",
  ]

  private func profile() -> Profile {
    var builder = ProfileBuilder()
    for (position, name) in Self.names.enumerated() {
      let thread = builder.addThread(
        process: name, pid: Int32(position), tid: Int32(position), name: name)
      builder.add([name, name + "2"], weight: 1, thread: thread, time: Nanoseconds(1))
    }
    var profile = builder.profile
    profile.provenance.command = Self.names
    profile.provenance.bench = Self.names[0]
    profile.provenance.host = Self.names[1]
    profile.provenance.kernel = Self.names[2]
    profile.provenance.gitCommit = Self.names[3]
    profile.valueType = ValueType(kind: Self.names[0], unit: Self.names[1])
    profile.losses.add(.neverEntered, events: 7)
    profile.losses.processNames[.neverEntered] = Self.names
    return profile
  }

  @Test func nothingReachesTheTerminal() {
    let options = Report.Options(showsTree: true, showsThreads: true)
    let report = Report(profile(), source: Self.names[0], options: options)
    for width in [nil, 80, 20] as [Int?] {
      let text = ReportText(report, style: ReportText.Style(width: width)).text
      let bad = text.unicodeScalars.filter { scalar in
        scalar != "\n"
          && [.control, .format, .lineSeparator, .paragraphSeparator].contains(
            scalar.properties.generalCategory)
      }
      #expect(bad.isEmpty, "\(bad.map { String($0.value, radix: 16) })")
    }
    #expect(ReportText(report).text.contains("\\x1b[2J"))
  }

  @Test func namesOfHeapsDoNotReachItEither() throws {
    var builder = HeapBuilder()
    for (position, name) in Self.names.enumerated() {
      builder.addProcess(name, pid: Int32(position))
      let stack = builder.stack([(name, name), (name + "2", name)])
      builder.add(stack, process: position, allocated: (1, 8), atPeak: (1, 8))
      builder.add(stack, process: position, kind: .mapping, allocated: (1, 8))
      builder.heap.processes[position].untracked = name
    }
    let options = Report.Options(showsTree: true, showsThreads: true)
    var report = Report(builder.built, source: Self.names[0], options: options)
    try report.check([GateCondition("leaked>0"), GateCondition("allocs>0")])
    let text = ReportText(report).text
    #expect(text.contains("not measured"))
    for scalar in text.unicodeScalars where scalar != "\n" {
      #expect(
        ![.control, .format, .lineSeparator, .paragraphSeparator].contains(
          scalar.properties.generalCategory), "\(scalar.value)")
    }
  }

  @Test func jsonKeepsNamesAsTheyAre() throws {
    let data = try Report(profile(), source: "x").json()
    let json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let recording = try #require(json["recording"] as? [String: Any])
    #expect(recording["command"] as? [String] == Self.names)
    #expect(!data.contains(0x1b) && !data.contains(0))
  }

  @Test func linesFitTheTerminal() {
    var builder = ProfileBuilder()
    let long = "std::vector<" + String(repeating: "std::pair<int, 漢字>, ", count: 40) + ">::back"
    for time in 1...200 {
      builder.add(["main", long], weight: 1, time: Nanoseconds(Int64(time)))
    }
    let report = Report(
      builder.profile, source: "x", options: Report.Options(showsTree: true))
    let text = ReportText(report, style: ReportText.Style(width: 80)).text
    for line in text.split(separator: "\n") {
      // Every character here is one column wide but the two CJK ones.
      let columns = line.reduce(0) { $0 + (("\u{4e00}"..."\u{9fff}").contains($1) ? 2 : 1) }
      #expect(columns <= 80, "\(line)")
    }
    #expect(text.contains("…") && text.contains("::back"))
    #expect(ReportText(report).text.contains(long))
  }

  @Test func coloursOnlyWhenAsked() {
    let report = Report(profile(), source: "x")
    #expect(!ReportText(report).text.contains("\u{1b}"))
    let coloured = ReportText(report, style: ReportText.Style(usesColor: true)).text
    #expect(coloured.contains("\u{1b}[1m"))
    // Colours change nothing but colours.
    let plain = coloured.replacing(/\u{1b}\[[0-9]+m/, with: "")
    #expect(plain == ReportText(report).text)
  }

  @Test func absurdHeapsDoNotTrap() throws {
    var builder = HeapBuilder()
    builder.addProcess("a", pid: 1)
    builder.addProcess("a", pid: 2)
    let huge = HeapAmount(count: .max, bytes: .min)
    for process in 0...1 {
      let stack = builder.stack(["main", "f\(process)"])
      var site = HeapSite(process: builder.processes[process], kind: .block, stack: stack)
      (site.allocated, site.freed, site.atPeak) = (huge, HeapAmount(count: .min, bytes: .max), huge)
      (site.countVariance, site.bytesVariance) = (.infinity, .nan)
      builder.heap.sites += [site, site]
      builder.heap.processes[process].allocated = huge
      builder.heap.processes[process].freed = HeapAmount(count: .min, bytes: .max)
      builder.heap.processes[process].peak = HeapAmount(count: .min, bytes: .max)
      builder.heap.processes[process].peakTime = Nanoseconds(.min)
      builder.heap.processes[process].sizes = Array(repeating: huge, count: 200)
      builder.heap.processes[process].lifetimes = Array(repeating: huge, count: 200)
      var residency = HeapResidency()
      (residency.anonymous, residency.heap) = (Bytes(.min), Bytes(.max))
      builder.heap.processes[process].residency = residency
    }
    for mode in [HeapProfile.Mode.full, .sample(interval: Bytes(.min)), .count] {
      builder.heap.mode = mode
      let options = Report.Options(showsTree: true, showsThreads: true)
      var report = Report(builder.built, source: "x", options: options, suppressions: .builtIn)
      try report.compare(
        builder.built, with: builder.built, source: "y", suppressions: .builtIn)
      try report.check([GateCondition("bytes>+2%"), GateCondition("leaked<-999999999999999GiB")])
      #expect(!ReportText(report).text.isEmpty)
      #expect(try !report.json().isEmpty)
      #expect(!HTMLReport(report).bytes.isEmpty)
    }
  }

  @Test func absurdNumbersDoNotTrap() throws {
    var builder = ProfileBuilder()
    builder.add(["a"], weight: .max, time: Nanoseconds(.max))
    builder.add(["b"], weight: .max, time: Nanoseconds(.min))
    var profile = builder.profile
    profile.period = .cpu(Nanoseconds(.max))
    profile.provenance.startTime = .greatestFiniteMagnitude
    profile.provenance.effectiveRate = .infinity
    profile.provenance.requestedRate = .nan
    profile.provenance.cpuTime = Nanoseconds(.min)
    profile.provenance.duration = Nanoseconds(.max)
    profile.provenance.peakResidentBytes = .max
    let report = Report(profile, source: "x", options: Report.Options(showsTree: true))
    #expect(!ReportText(report).text.isEmpty)
    #expect(try !report.json().isEmpty)
  }
}
