import ProfileModel

extension Profile {
  /// The mapping that most weight of the first process has at its root: where its `_start` is.
  ///
  /// Only the main thread is asked, since other threads begin in libc; without threads, all
  /// samples are. Of equal ones the first in the table is taken.
  var mainBinary: ID<Mapping>? {
    let mainThreads = samples.filter { sample in
      guard let thread = sample.thread.map({ threads[$0] }) else { return false }
      return thread.process.index == 0 && thread.tid == processes[thread.process].pid
    }
    var weights = [Int64](repeating: 0, count: mappings.count)
    for sample in mainThreads.isEmpty ? samples : mainThreads {
      for location in locations(of: sample.stack).reversed() {
        guard case .code(let mapping, _) = locations[location].place else { continue }
        weights[mapping.index] += sample.weight
        break
      }
    }
    guard let most = weights.max(), most > 0 else { return nil }
    return weights.firstIndex(of: most).map { ID($0) }
  }
}
