import ProfileModel
import TestSupport
import Testing

/// What became of some blocks, as the heap workloads print it.
struct HeapSums: Equatable, CustomStringConvertible {
  var allocated = HeapAmount()
  var freed = HeapAmount()
  var temporary = HeapAmount()
  var atPeak = HeapAmount()

  var live: HeapAmount {
    HeapAmount(
      count: allocated.count - freed.count, bytes: allocated.bytes - freed.bytes)
  }

  mutating func add(_ site: HeapSite) {
    allocated += site.allocated
    freed += site.freed
    temporary += site.temporary
    atPeak += site.atPeak
  }

  var description: String {
    "allocated \(allocated) freed \(freed) temporary \(temporary) at peak \(atPeak)"
  }
}

extension HeapAmount: CustomStringConvertible {
  package var description: String { "\(count) (\(bytes) B)" }

  static func += (sum: inout HeapAmount, amount: HeapAmount) {
    sum.count += amount.count
    sum.bytes += amount.bytes
  }
}

// Sums over a recording, made here from the sites themselves and not by the report's code.
extension Recorded {
  /// Records a heap workload, which has to exit with 0.
  static func heap(
    _ name: String, _ arguments: String..., mode: String = "full",
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Recorded {
    let recorded = try Recorded(
      [try BuiltProducts.workload(name)] + arguments, options: ["--heap=\(mode)"],
      sourceLocation: sourceLocation)
    #expect(
      recorded.result.ending == .exited(0), "\(recorded.result.error)",
      sourceLocation: sourceLocation)
    return recorded
  }

  /// What was tracked of the one program that ran.
  func heapProcess(sourceLocation: SourceLocation = #_sourceLocation) throws -> HeapProcess {
    let heap = try #require(profile.heap, "no heap in it", sourceLocation: sourceLocation)
    try #require(heap.processes.count == 1, sourceLocation: sourceLocation)
    return heap.processes[0]
  }

  /// The names in a site's stack, leaf first, without the parameters that C++ names have and
  /// without what the compiler appends to clones.
  func names(_ site: HeapSite) -> [String] {
    profile.locations(of: site.stack).flatMap { profile.frames(of: $0).map(\.name) }
      .map { name in String(name.prefix { $0 != "(" && $0 != "." }) }
  }

  /// All that the function `name` allocated, and what it called.
  func sums(
    below name: String? = nil, kind: HeapSite.Kind = .block, of process: ID<ProcessImage>? = nil
  ) -> HeapSums {
    var sums = HeapSums()
    for site in profile.heap?.sites ?? [] where site.kind == kind {
      if let process, site.process != process { continue }
      if let name, !names(site).contains(name) { continue }
      sums.add(site)
    }
    return sums
  }

  /// The lines of the form `FUNCTION ALLOCATIONS BYTES FREES BYTES [TEMPORARY BYTES]` that the
  /// workload printed, each compared with the sites of that function.
  func expectTheAnswers(
    in output: String? = nil, except: Set<String> = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var compared = 0
    for line in (output ?? result.output).split(separator: "\n") {
      let words = line.split(separator: " ")
      let numbers = words.dropFirst().compactMap { Int64($0) }
      guard numbers.count >= 4, !except.contains(String(words[0])) else { continue }
      let sums = sums(below: String(words[0]))
      #expect(
        sums.allocated == HeapAmount(count: numbers[0], bytes: numbers[1])
          && sums.freed == HeapAmount(count: numbers[2], bytes: numbers[3])
          && (numbers.count < 6
            || sums.temporary == HeapAmount(count: numbers[4], bytes: numbers[5])),
        "\(line), but found \(sums)", sourceLocation: sourceLocation)
      compared += 1
    }
    #expect(compared > 0, "no answers", sourceLocation: sourceLocation)
  }

  /// What holds for every complete recording in mode full, whatever was recorded.
  func expectConsistency(sourceLocation: SourceLocation = #_sourceLocation) throws {
    let heap = try #require(profile.heap, sourceLocation: sourceLocation)
    for process in heap.processes {
      let sums = sums(of: process.process)
      let name = name(of: process.process)
      #expect(process.lost == 0, "\(name)", sourceLocation: sourceLocation)
      #expect(sums.allocated == process.allocated, "\(name)", sourceLocation: sourceLocation)
      #expect(sums.freed == process.freed, "\(name)", sourceLocation: sourceLocation)
      #expect(sums.temporary == process.temporary, "\(name)", sourceLocation: sourceLocation)
      #expect(sums.atPeak == process.peak, "\(name)", sourceLocation: sourceLocation)
      #expect(
        process.peak.bytes <= process.allocated.bytes && process.peak.bytes >= process.live.bytes,
        "\(name)", sourceLocation: sourceLocation)
      let sizes = process.sizes.reduce(into: HeapAmount()) { $0 += $1 }
      #expect(sizes == process.allocated, "\(name)", sourceLocation: sourceLocation)
      let lifetimes = process.lifetimes.reduce(into: process.temporary) { $0 += $1 }
      #expect(lifetimes == process.freed, "\(name)", sourceLocation: sourceLocation)
      let threads = heap.threads.filter { profile.threads[$0.thread].process == process.process }
      let byThreads = threads.reduce(into: HeapAmount()) { $0 += $1.allocated }
      #expect(byThreads == process.allocated, "\(name)", sourceLocation: sourceLocation)
      let steps = process.timeline.steps
      #expect(
        steps.reduce(0) { $0 + $1.allocations } == process.allocated.count, "\(name)",
        sourceLocation: sourceLocation)
      #expect(
        (steps.map(\.largest).max() ?? 0) == process.peak.bytes, "\(name)",
        sourceLocation: sourceLocation)
    }
    for site in heap.sites {
      #expect(
        site.live.count >= 0 && site.live.bytes >= 0, "\(names(site)): \(site)",
        sourceLocation: sourceLocation)
    }
  }
}
