package import Foundation
import ProfileModel

extension Report {
  /// The report as `docs/formats/report-json.md` describes it.
  package func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try encoder.encode(Document(self)) + Data("\n".utf8)
  }
}

/// Keys are part of the format: a change of meaning raises `version`.
private struct Document: Encodable {
  var version = 1
  var source: String
  var recording: Recording
  var sampling: Sampling
  var functions: Functions
  var markers: [Function]
  var tree: Tree
  var heap: HeapDocument?
  var processes: [Process]
  var completeness: Completeness
  var losses: [Loss]
  var advice: [Note]

  init(_ report: Report) {
    source = report.source
    recording = Recording(report.provenance)
    sampling = Sampling(report)
    functions = Functions(report)
    markers = report.flat.markers.map { Function($0, report) }
    tree = Tree(report)
    heap = HeapDocument(report)
    processes = report.processes.map { Process($0, report) }
    completeness = Completeness(report)
    losses = Losses.Reason.allCases.filter { report.losses.counts[$0] != nil }
      .map { Loss($0, report) }
    advice =
      report.advice.map { Note(code: $0.code, message: $0.message) }
      + report.heapAdvice.map { Note(code: $0.code, message: $0.message) }
  }
}

private struct Recording: Encodable {
  var command: [String]
  var workingDirectory: String
  var bench: String?
  var host: String
  var kernel: String
  var processors: Int
  var toolVersion: String
  var gitCommit: String?
  var startTime: Double
  var durationSeconds: Double
  var cpuSeconds: Double?
  var peakResidentBytes: Int64?
  var exitStatus: Int32?
  var signal: Int32?

  init(_ from: Provenance) {
    command = from.command
    workingDirectory = from.workingDirectory
    bench = from.bench
    host = from.host
    kernel = from.kernel
    processors = from.processors
    toolVersion = from.toolVersion
    gitCommit = from.gitCommit
    startTime = from.startTime
    durationSeconds = from.duration.seconds
    cpuSeconds = from.cpuTime?.seconds
    peakResidentBytes = from.peakResidentBytes
    if case .exited(let status) = from.exit { exitStatus = status }
    if case .signalled(let number) = from.exit { signal = number }
  }
}

private struct Sampling: Encodable {
  struct Unit: Encodable {
    var kind: String
    var unit: String
    var value: Int64?
  }
  var engine: String
  var requestedRate: Double
  var effectiveRate: Double
  var weight: Int64
  var weightType: Unit
  var period: Unit?
  var samples: Int?
  var effectiveSamples: Double?
  var sampledCPUSeconds: Double?
  var coverage: Double?

  init(_ report: Report) {
    engine = report.provenance.engine
    requestedRate = report.provenance.requestedRate
    effectiveRate = report.provenance.effectiveRate
    weight = report.total.weight
    weightType = Unit(kind: report.valueType.kind, unit: report.valueType.unit)
    period = report.period.map { Unit(kind: $0.type.kind, unit: $0.type.unit, value: $0.value) }
    samples = report.sampleCount
    effectiveSamples = report.flat.effectiveSamples
    sampledCPUSeconds = report.sampledCPUTime?.seconds
    coverage = report.coverage
  }
}

/// A weight with its share of the whole.
private struct Measure: Encodable {
  var weight: Int64
  var seconds: Double?
  var samples: Int?
  var share: Double
  var standardError: Double?
  var interval95: [Double]?

  init(_ tally: Tally, _ report: Report) {
    let share = report.share(tally)
    weight = tally.weight
    seconds = report.quantities.secondsPerUnit.map { Double(tally.weight) * $0 }
    samples = report.sampleCount.map { _ in tally.samples }
    self.share = share.value
    standardError = share.standardError
    interval95 = share.interval95.map { [$0.lowerBound, $0.upperBound] }
  }
}

private struct Function: Encodable {
  var name: String
  var module: String
  var isSymbolised: Bool
  var flat: Measure
  var cumulative: Measure

  init(_ entry: FlatProfile.Entry, _ report: Report) {
    name = entry.function.name
    module = entry.function.module
    isSymbolised = entry.function.isSymbolised
    flat = Measure(entry.flat, report)
    cumulative = Measure(entry.cumulative, report)
  }

  private enum CodingKeys: String, CodingKey {
    case name, module, isSymbolised, cumulative
    case flat = "self"
  }
}

private struct Functions: Encodable {
  var count: Int
  var bySelf: [Function]
  var byCumulative: [Function]

  init(_ report: Report) {
    count = report.flat.functions.count
    bySelf = report.functions(by: .flat).prefix(report.options.rows).map { Function($0, report) }
    byCumulative = report.functions(by: .cumulative).prefix(report.options.rows).map {
      Function($0, report)
    }
  }
}

/// Nodes in the order of the text, each with its depth: nesting would limit how deep a tree can be.
private struct Tree: Encodable {
  struct Node: Encodable {
    var depth: Int
    var name: String
    var module: String
    var flat: Measure
    var cumulative: Measure
    var cut: Cut?

    private enum CodingKeys: String, CodingKey {
      case depth, name, module, cumulative, cut
      case flat = "self"
    }
  }
  /// Callees below the minimum share.
  struct Cut: Encodable {
    var count: Int
    var weight: Measure
  }
  var minimumShare: Double
  var nodes: [Node] = []
  var cut: Cut?

  init(_ report: Report) {
    let tree = report.tree
    func cut(_ count: Int, _ tally: Tally) -> Cut? {
      count == 0 ? nil : Cut(count: count, weight: Measure(tally, report))
    }
    minimumShare = report.options.minimumTreeShare
    self.cut = cut(tree.cutRoots, tree.cut)
    var pending = tree.roots.reversed().map { (place: $0, depth: 0) }
    while let next = pending.popLast() {
      let node = tree.nodes[next.place]
      nodes.append(
        Node(
          depth: next.depth, name: node.function.name, module: node.function.module,
          flat: Measure(node.flat, report), cumulative: Measure(node.cumulative, report),
          cut: cut(node.cutChildren, node.cut)))
      pending += node.children.reversed().map { (place: $0, depth: next.depth + 1) }
    }
  }
}

private struct Process: Encodable {
  struct Thread: Encodable {
    var tid: Int32
    var name: String
    var total: Measure
  }
  var pid: Int32
  var parentPID: Int32
  var name: String
  var total: Measure
  var threads: [Thread]

  init(_ row: Report.ProcessRow, _ report: Report) {
    pid = row.pid
    parentPID = row.parentPID
    name = row.name
    total = Measure(row.tally, report)
    threads = row.threads.map {
      Thread(tid: $0.tid, name: $0.name, total: Measure($0.tally, report))
    }
  }
}

private struct Completeness: Encodable {
  var complete: Measure
  var withoutStack: Measure
  var cut: [String: Measure]

  init(_ report: Report) {
    complete = Measure(report.completeness.complete, report)
    withoutStack = Measure(report.completeness.withoutStack, report)
    cut = Dictionary(
      uniqueKeysWithValues: report.completeness.byMarker.map {
        ($0.rawValue, Measure($1, report))
      })
  }
}

private struct Loss: Encodable {
  var reason: String
  var events: Int64
  var weight: Int64
  var processNames: [String]
  var message: String

  init(_ reason: Losses.Reason, _ report: Report) {
    let count = report.losses[reason]
    self.reason = reason.rawValue
    events = count.events
    weight = count.weight
    processNames = report.losses.processNames[reason] ?? []
    message = report.losses.message(
      reason, time: count.weight == 0 ? nil : report.quantities.text(Double(count.weight)))
  }
}

private struct Note: Encodable {
  var code: String
  var message: String
}
