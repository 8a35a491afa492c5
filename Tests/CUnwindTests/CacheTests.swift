import CUnwind
import Foundation
import TestSupport
import Testing
import UnwindProbe

/// The cache may forget, and may be written by all threads at once, but never gives a wrong row.
@Suite struct CacheTests {
  @Test func halvesOfDifferentPairsAreNoEntry() {
    let seed = UInt64.random(in: .min ... .max)
    var random = RepeatableRandom(seed: seed)
    let cache = Cache(entries: 64)
    let walk = Walk(cache)
    for round in 1...2_000 {
      probe_below(UInt32.random(in: 0...20, using: &random), walk.pointer)
      let isSame = walk.frames == walk.expected && walk.ending == UNWIND_COMPLETE
      #expect(isSame, "seed \(seed), round \(round): \(walk.pointer.pointee.comparison)")
      // Tears every entry: as if the second half of each write had come from another thread.
      let entries = cache.entries
      for index in entries.indices {
        entries[index].row = entries[Int.random(in: entries.indices, using: &random)].row
      }
    }
  }

  @Test func oneEntryTooFewOnlyCostsTime() {
    let walk = Walk(Cache(entries: 4))
    for depth in 0...60 as ClosedRange<UInt32> {
      probe_below(depth, walk.pointer)
      walk.expectTheSame()
    }
  }

  @Test func threadsShareASmallCache() async {
    let cache = Cache(entries: 8)
    let wrong = await withTaskGroup(of: Int.self) { group in
      for thread in 0..<4 as Range<UInt32> {
        group.addTask {
          let walk = Walk(cache)
          var wrong = 0
          for round in 0..<3_000 as Range<UInt32> {
            if thread == 0, round % 16 == 0 { cache.forget() }
            probe_below((round + thread) % 7, walk.pointer)
            let isSame = walk.frames == walk.expected && walk.ending == UNWIND_COMPLETE
            wrong += isSame ? 0 : 1
          }
          return wrong
        }
      }
      return await group.reduce(0, +)
    }
    #expect(wrong == 0)
  }

  /// What is compiled into programs of others calls nothing of theirs: no memcpy that a sanitizer
  /// interposes, no allocation, no lock.
  @Test func needsNothingButTheLookupOfObjects() throws {
    let folder = BuiltProducts.folder.appendingPathComponent("CUnwind.build")
    let objects = try FileManager.default.contentsOfDirectory(atPath: folder.path)
      .filter { $0.hasSuffix(".o") }
    #expect(objects.count >= 5)
    var needed: Set<Substring> = []
    var defined: Set<Substring> = []
    for object in objects {
      for line in try run(["nm", folder.appendingPathComponent(object).path]).split(separator: "\n")
      {
        let words = line.split(separator: " ")
        if words.dropLast().last == "U" { needed.insert(words[words.count - 1]) }
        if words.dropLast().last == "T" { defined.insert(words[words.count - 1]) }
      }
    }
    #expect(needed.subtracting(defined) == ["_dl_find_object", "getauxval"])
  }
}
