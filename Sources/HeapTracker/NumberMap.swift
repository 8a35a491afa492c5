/// Numbers by number, for lookups that are made for each frame of each new stack: open addressing
/// with linear probing, half full at most. 0 is no key.
struct NumberMap {
  private var keys: [UInt64]
  private var values: [UInt32]
  private var count = 0
  /// Unknown to the program, which chooses addresses.
  private let multiplier = UInt64.random(in: 0...UInt64.max) | 1 << 63 | 1

  init() {
    keys = Array(repeating: 0, count: 1024)
    values = Array(repeating: 0, count: 1024)
  }

  private func home(of key: UInt64) -> Int {
    let product = key.multipliedFullWidth(by: multiplier)
    let mixed = (product.high ^ product.low) &* 0x9e37_79b9_7f4a_7c15  // see BlockTable
    return Int(truncatingIfNeeded: mixed ^ mixed >> 32) & (keys.count - 1)
  }

  subscript(key: UInt64) -> UInt32? {
    var place = home(of: key)
    while keys[place] != 0 {
      if keys[place] == key { return values[place] }
      place = (place + 1) & (keys.count - 1)
    }
    return nil
  }

  /// Adds a key that is not there. 0 is passed over: a process may tell of any address.
  mutating func insert(_ value: UInt32, for key: UInt64) {
    guard key != 0 else { return }
    if (count + 1) * 2 > keys.count { grow() }
    count += 1
    put(value, for: key)
  }

  private mutating func put(_ value: UInt32, for key: UInt64) {
    var place = home(of: key)
    while keys[place] != 0 { place = (place + 1) & (keys.count - 1) }
    keys[place] = key
    values[place] = value
  }

  private mutating func grow() {
    let old = (keys: keys, values: values)
    keys = Array(repeating: 0, count: old.keys.count * 2)
    values = Array(repeating: 0, count: keys.count)
    for (key, value) in zip(old.keys, old.values) where key != 0 { put(value, for: key) }
  }
}
