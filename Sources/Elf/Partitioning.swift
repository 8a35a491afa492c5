extension RandomAccessCollection {
  /// The first index whose element belongs to the second part, by binary search; the elements
  /// must be ordered so that `belongsToSecond` is false for some first part and true for the rest.
  @inlinable
  package func partitioningIndex(where belongsToSecond: (Element) -> Bool) -> Index {
    var low = startIndex
    var count = self.count
    while count > 0 {
      let half = count / 2
      let middle = index(low, offsetBy: half)
      if belongsToSecond(self[middle]) {
        count = half
      } else {
        low = index(after: middle)
        count -= half + 1
      }
    }
    return low
  }
}
