/// The number of insertions, deletions, replacements and swaps of neighbours that turn `a` into
/// `b` (optimal string alignment).
func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a.unicodeScalars)
  let b = Array(b.unicodeScalars)
  var beforeLast: [Int] = []
  var last = Array(0...b.count)
  for i in a.indices {
    var row = [i + 1]
    for j in b.indices {
      var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
        best = min(best, beforeLast[j - 1] + 1)
      }
      row.append(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.count]
}

/// The names that `name` was probably meant to be, nearest first and then by name, at most three:
/// those that begin with it, and those that differ in at most a third of its letters, or two.
func nearestNames(to name: String, in known: [String]) -> [String] {
  // A longer text is no misspelt name, and comparing it would take quadratic time.
  guard !name.isEmpty, name.utf8.count <= 200 else { return [] }
  let limit = max(2, name.count / 3)
  let candidates = known.compactMap { candidate -> (distance: Int, name: String)? in
    let distance = editDistance(name, candidate)
    let isNear = distance <= limit && distance < max(name.count, candidate.count)
    return isNear || candidate.hasPrefix(name) ? (distance, candidate) : nil
  }
  return candidates.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }.prefix(3).map(\.name)
}
