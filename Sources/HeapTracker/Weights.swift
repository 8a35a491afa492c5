import Glibc
import ProfileModel

/// How much an allocation that was drawn stands for. One of `size` bytes is drawn with the chance
/// `p = 1 − exp(−size / interval)`, so each drawn one stands for `1 / p` (Horvitz and Thompson,
/// J. Am. Stat. Assoc. 47, 1952).
struct Weights {
  /// Counts are kept in parts of this many to one.
  static let unit: Double = 65536
  let interval: Double

  private func chance(_ size: UInt64) -> Double { -expm1(-Double(max(size, 1)) / interval) }

  func amount(_ size: UInt64) -> HeapAmount {
    let weight = 1 / chance(size)
    return HeapAmount(
      count: Self.whole(weight * Self.unit), bytes: Self.whole(weight * Double(size)))
  }

  private static func whole(_ value: Double) -> Int64 { Int64(min(value, 0x1p62).rounded()) }

  /// What one drawn allocation adds to the variances of the count and the bytes.
  func variances(_ size: UInt64) -> (count: Double, bytes: Double) {
    let p = chance(size)
    let count = (1 - p) / (p * p)
    return (count, count * Double(size) * Double(size))
  }
}
