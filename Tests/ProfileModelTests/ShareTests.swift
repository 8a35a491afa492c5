import ProfileModel
import TestSupport
import Testing

@Suite struct ShareTests {
  @Test func standardErrorAndIntervalByHand() throws {
    let share = Share(10, of: 100, samples: 100)
    #expect(share.value == 0.1)
    #expect(try abs(#require(share.standardError) - 0.03) < 1e-12)
    // Wilson's interval for 10 of 100, as printed in textbooks: 0.0552 … 0.1744.
    let interval = try #require(share.interval95)
    #expect(abs(interval.lowerBound - 0.0552) < 5e-5)
    #expect(abs(interval.upperBound - 0.1744) < 5e-5)
  }

  @Test func allOfFewIsNotCertain() throws {
    // 5 of 5: the lower bound is n / (n + z²) = 5 / 8.8415.
    let interval = try #require(Share(5, of: 5, samples: 5).interval95)
    #expect(abs(interval.lowerBound - 0.5655) < 5e-5)
    #expect(interval.upperBound == 1)
  }

  @Test func unknownSampleCountHasNoError() {
    let share = Share(1, of: 2, samples: nil)
    #expect(share.standardError == nil && share.interval95 == nil)
    #expect(Share(1, of: 0, samples: 0).value == 0)
  }
}
