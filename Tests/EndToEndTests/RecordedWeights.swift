import ProfileModel

// Sums over a recording, made here from the samples themselves and not by the report's code.
extension Recorded {
  /// Weight of the samples for which `isMeant` holds.
  func weight(where isMeant: (Sample) -> Bool) -> Int64 {
    profile.samples.reduce(0) { isMeant($1) ? $0 + $1.weight : $0 }
  }

  var totalWeight: Int64 { weight { _ in true } }

  /// CPU time of one unit of weight.
  var period: Double { Double(profile.period?.value ?? 0) / 1e9 }

  /// All weight as seconds of CPU time.
  var sampledSeconds: Double { Double(totalWeight) * period }

  /// The names in a sample's stack, leaf first, inlined functions and markers included.
  func names(_ sample: Sample) -> [String] {
    profile.locations(of: sample.stack).flatMap { profile.frames(of: $0).map(\.name) }
  }

  /// The share of weight that is in or below the function `name`, of what is in any place known:
  /// where signals were held up, only the thread is.
  func share(below name: String, of process: ID<ProcessImage>? = nil) -> Double {
    let placed = weight { isPlaced($0) && (process == nil || image($0) == process) }
    let below = weight {
      isPlaced($0) && (process == nil || image($0) == process) && names($0).contains(name)
    }
    return placed == 0 ? 0 : Double(below) / Double(placed)
  }

  func isPlaced(_ sample: Sample) -> Bool {
    names(sample).last != FrameMarker.signalBlocked.label
  }

  /// The number of equally heavy samples that would tell as much (Kish), of those with a place.
  var effectiveSignals: Double {
    let weights = profile.samples.filter(isPlaced).map { Double($0.weight) }
    let sum = weights.reduce(0, +)
    let squares = weights.reduce(0) { $0 + $1 * $1 }
    return squares == 0 ? 0 : sum * sum / squares
  }

  func image(_ sample: Sample) -> ID<ProcessImage>? {
    sample.thread.map { profile.threads[$0].process }
  }

  func name(of image: ID<ProcessImage>) -> String { profile.strings[profile.processes[image].name] }

  /// Weight by process image.
  var weightByProcess: [ID<ProcessImage>: Int64] {
    profile.samples.reduce(into: [:]) { sums, sample in
      if let image = image(sample) { sums[image, default: 0] += sample.weight }
    }
  }

  /// Weight by thread, with the thread's name.
  var weightByThread: [(name: String, weight: Int64)] {
    var sums: [ID<ThreadInfo>: Int64] = [:]
    for sample in profile.samples {
      if let thread = sample.thread { sums[thread, default: 0] += sample.weight }
    }
    return sums.map { (profile.strings[profile.threads[$0].name], $1) }
  }
}
