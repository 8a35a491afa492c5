import ProfileModel

/// Names the callers of the allocator.
struct CallerNames: Sendable {
  private let profile: Profile
  /// By location: its functions, innermost first, and which of them only hand on what they allocate.
  private let frames: [[Frame]]
  private let handsOn: [[Bool]]

  init(_ profile: Profile) {
    self.profile = profile
    frames = profile.locations.ids.map { profile.frames(of: $0) }
    var known: [String: Bool] = [:]
    handsOn = frames.map { frames in
      frames.map { frame in
        if let answer = known[frame.name] { return answer }
        let answer = AllocatorNames.contains(frame.name)
        known[frame.name] = answer
        return answer
      }
    }
  }

  /// The functions of a stack from the one that called the allocator to the root; empty when the
  /// stack is unknown. Where all only hand on, it begins with the innermost.
  func callers(of stack: ID<StackNode>?, atMost limit: Int = .max) -> [Frame] {
    var result: [Frame] = []
    var innermost: Frame?
    for location in profile.locations(of: stack) {
      for (depth, frame) in frames[location.index].enumerated() {
        innermost = innermost ?? frame
        guard !result.isEmpty || !handsOn[location.index][depth] else { continue }
        result.append(frame)
        if result.count == limit { return result }
      }
    }
    return result.isEmpty ? innermost.map { [$0] } ?? [] : result
  }

  /// All functions of a stack, innermost first.
  func functions(of stack: ID<StackNode>?) -> [Frame] {
    profile.locations(of: stack).flatMap { frames[$0.index] }
  }
}
