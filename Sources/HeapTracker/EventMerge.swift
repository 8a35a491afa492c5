/// The threads of a process by the time of their next event: a binary heap (Williams, Comm. ACM 7,
/// 1964).
struct EventMerge {
  struct Entry {
    var time: UInt64
    var thread: UnsafeMutablePointer<TrackedThread>
  }
  /// The time of an event that is not there. Events have 61 bits for theirs.
  static let never = UInt64.max

  private var entries: UnsafeMutableBufferPointer<Entry>
  private var count = 0

  init() { entries = .allocate(capacity: 16) }
  func free() { entries.deallocate() }

  mutating func removeAll() { count = 0 }

  /// Adds a thread of which it is not yet known what is next.
  mutating func add(_ thread: UnsafeMutablePointer<TrackedThread>) {
    if count == entries.count {
      let larger = UnsafeMutableBufferPointer<Entry>.allocate(capacity: count * 2)
      _ = larger.moveInitialize(fromContentsOf: entries)
      entries.deallocate()
      entries = larger
    }
    // All times are zero while threads are added, so any order will do.
    entries.initializeElement(at: count, to: Entry(time: 0, thread: thread))
    count += 1
  }

  /// The thread whose event is next; nil when none has any.
  var next: Entry? { count > 0 && entries[0].time != Self.never ? entries[0] : nil }

  /// The time from which another thread is next.
  var timeAfterNext: UInt64 {
    let left = count > 1 ? entries[1].time : Self.never
    return count > 2 ? min(left, entries[2].time) : left
  }

  mutating func replaceNext(time: UInt64) {
    var entry = entries[0]
    entry.time = time
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < count else { break }
      if child + 1 < count, entries[child + 1].time < entries[child].time { child += 1 }
      guard entries[child].time < time else { break }
      entries[place] = entries[child]
      place = child
    }
    entries[place] = entry
  }
}
