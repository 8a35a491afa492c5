import Testing
import TestSupport

@testable import Benchmarking

struct NearestNamesTests {
  /// Counted by hand.
  @Test(arguments: [
    ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("kitten", "sitting", 3),
    ("comand", "command", 1), ("ocmmand", "command", 1), ("ab", "ba", 1), ("ca", "abc", 3),
  ])
  func distance(a: String, b: String, expected: Int) {
    #expect(editDistance(a, b) == expected)
  }

  @Test func distanceIsSymmetricAndBounded() {
    let seed: UInt64 = 0x5eed
    var random = RepeatableRandom(seed: seed)
    func word() -> String {
      String(
        (0..<Int.random(in: 0...8, using: &random)).map { _ in
          Character(["a", "b", "c"].randomElement(using: &random) ?? "a")
        })
    }
    for _ in 0..<2_000 {
      let (a, b) = (word(), word())
      let distance = editDistance(a, b)
      #expect(distance == editDistance(b, a), "seed \(seed): \(a) \(b)")
      #expect(distance <= max(a.count, b.count), "seed \(seed): \(a) \(b)")
      #expect(distance >= abs(a.count - b.count), "seed \(seed): \(a) \(b)")
      #expect((distance == 0) == (a == b), "seed \(seed): \(a) \(b)")
    }
  }

  @Test func nearestFirstThenByName() {
    #expect(nearestNames(to: "ml_dsaa", in: ["ml_kem", "ml_dsa", "dag"]) == ["ml_dsa"])
    #expect(nearestNames(to: "ab", in: ["bb", "aa", "b"]) == ["aa", "b", "bb"])
    #expect(
      nearestNames(to: "ml", in: ["ml_dsa", "ml_kem", "network"]) == ["ml_kem", "ml_dsa"].sorted())
  }

  @Test func aWordWithNothingInCommonIsNotNear() {
    #expect(nearestNames(to: "x", in: ["a", "b"]).isEmpty)
    #expect(nearestNames(to: "", in: ["a"]).isEmpty)
    #expect(nearestNames(to: String(repeating: "a", count: 100_000), in: ["a"]).isEmpty)
  }
}
