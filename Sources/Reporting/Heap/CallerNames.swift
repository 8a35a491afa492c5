import ProfileModel

/// Names the callers of the allocator.
struct CallerNames: Sendable {
  private let profile: Profile
  /// By location: its functions, innermost first.
  private let frames: [[(frame: Frame, role: FrameRole)]]

  init(_ profile: Profile) {
    self.profile = profile
    var roles: [[String]: FrameRole] = [:]
    frames = profile.locations.ids.map { location in
      profile.frames(of: location).map { frame in
        let key = [frame.name, frame.module]
        let role = roles[key] ?? FrameRole(frame.name, module: frame.module)
        roles[key] = role
        return (frame, role)
      }
    }
  }

  /// The functions of a stack from the one that decided to allocate to the root; empty when the
  /// stack is unknown. It is the innermost of the program, else of a library, else the innermost.
  func callers(of stack: ID<StackNode>?, atMost limit: Int = .max) -> [Frame] {
    let locations = profile.locations(of: stack)
    for role in [FrameRole.program, .library, .allocator] {
      let found = callers(from: role, locations, limit)
      if !found.isEmpty { return found }
    }
    return []
  }

  private func callers(from role: FrameRole, _ locations: [ID<Location>], _ limit: Int)
    -> [Frame]
  {
    var result: [Frame] = []
    // Code without a symbol that is called by an allocator is part of it.
    var unnamed: [Frame] = []
    for location in locations {
      for next in frames[location.index] {
        if result.isEmpty {
          if next.role == .program, role == .program, Self.isUnnamed(next.frame), unnamed.isEmpty {
            unnamed = [next.frame]
            continue
          }
          if next.role == .allocator { unnamed = [] }
          guard !unnamed.isEmpty || next.role == role else { continue }
          result = unnamed
          if result.count == limit { return result }
        }
        result.append(next.frame)
        if result.count == limit { return result }
      }
    }
    return result.isEmpty ? unnamed : result
  }

  private static func isUnnamed(_ frame: Frame) -> Bool {
    frame.name.hasPrefix(Profile.basename(frame.module) + "+0x")
  }

  /// All functions of a stack, innermost first.
  func functions(of stack: ID<StackNode>?) -> [Frame] {
    profile.locations(of: stack).flatMap { frames[$0.index].map(\.frame) }
  }
}
