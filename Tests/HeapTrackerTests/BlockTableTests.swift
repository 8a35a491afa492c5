import TestSupport
import Testing

@testable import HeapTracker

struct BlockTableTests {
  /// Addresses as allocators give them out: close together, in strides, or in few size classes.
  enum Pattern: CaseIterable {
    case dense, pages, megabytes, scattered
    func address(_ index: UInt64) -> UInt64 {
      switch self {
      case .dense: 0x5555_5555_0000 + index * 16
      case .pages: 0x7f00_0000_0010 + index * 4096
      case .megabytes: index << 20 | 1 << 45
      case .scattered: (index &* 0x9e37_79b9_7f4a_7c15) >> 17 | 1
      }
    }
  }

  @Test(arguments: Pattern.allCases) func aDictionaryHoldsTheSame(pattern: Pattern) {
    let seed: UInt64 = 7
    var random = RepeatableRandom(seed: seed)
    var table = BlockTable()
    defer { table.free() }
    var expected: [UInt64: UInt64] = [:]
    for step in UInt64(0)..<60_000 {
      // First mostly growing past several doublings, then shrinking to nothing.
      let isGrowing = Int.random(in: 0..<10, using: &random) < (step < 30_000 ? 7 : 2)
      let address = pattern.address(UInt64.random(in: 0..<20_000, using: &random))
      if isGrowing, table.find(address) == nil {
        table.insert(Block(address: address, size: step, time: 0, site: 1, thread: 2))
        expected[address] = step
      } else if let found = table.find(address) {
        #expect(found.pointee.size == expected[address])
        table.remove(found)
        expected[address] = nil
      }
    }
    #expect(table.count == UInt64(expected.count), "seed \(seed)")
    for index in UInt64(0)..<20_000 {
      let address = pattern.address(index)
      #expect(table.find(address)?.pointee.size == expected[address])
    }
  }

  @Test func chainsStayShortForRegularAddresses() {
    for pattern in Pattern.allCases {
      var table = BlockTable()
      defer { table.free() }
      for index in UInt64(0)..<100_000 {
        table.insert(Block(address: pattern.address(index), size: 0, time: 0, site: 0, thread: 0))
      }
      // Knuth 6.4: (1 + 1 / (1 − 5/8)) / 2 = 1.8 places for a full table of random keys.
      #expect(table.meanProbes < 3, "\(pattern)")
    }
  }
}

extension BlockTable {
  /// Places looked at to find a block, on average.
  fileprivate var meanProbes: Double {
    var probes = 0
    for index in 0..<capacity where place(index).address != 0 {
      probes += distance(of: index) + 1
    }
    return Double(probes) / Double(count)
  }
}
