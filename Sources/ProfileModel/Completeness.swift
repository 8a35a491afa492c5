/// How much of the weight has a stack that reaches from where the program was to where its
/// thread began.
package struct Completeness: Hashable, Sendable {
  package private(set) var total: Tally
  package private(set) var complete = Tally()
  /// Weight whose stack is cut, by the reason at its root, and `[signal blocked]`.
  package private(set) var byMarker: [FrameMarker: Tally] = [:]
  /// Weight of samples without any stack.
  package private(set) var withoutStack: Tally

  package init(_ profile: Profile) { self.init(profile, totals: StackTotals(profile)) }

  package init(_ profile: Profile, totals: StackTotals) {
    total = totals.total
    withoutStack = totals.withoutStack
    let markers = Self.rootMarkers(profile)
    for (stack, tally) in totals.perStack.enumerated() where !tally.isZero {
      if let marker = markers[stack] {
        byMarker[marker, default: Tally()] += tally
      } else {
        complete += tally
      }
    }
  }

  /// By stack: the marker at its root.
  private static func rootMarkers(_ profile: Profile) -> [FrameMarker?] {
    var markers: [FrameMarker?] = []
    markers.reserveCapacity(profile.stacks.count)
    for node in profile.stacks.rows {
      // A parent is interned before its children, so its answer is known.
      if let parent = node.parent {
        markers.append(markers[parent.index])
      } else if case .marker(let marker) = profile.locations[node.location].place {
        markers.append(marker)
      } else {
        markers.append(nil)
      }
    }
    return markers
  }
}
