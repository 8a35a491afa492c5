// tasks [ROUNDS]: four tasks at a time call asynchronous functions through a protocol and fill
// dictionaries in generic code, ROUNDS times (default 60, one or two seconds in all).
//
// Answer: prints `done`. Stacks lead from the thread's start through the concurrency runtime to
// `sum` and `fold`; where an asynchronous function has been resumed, its caller is not on the
// stack. Swift 6.3 describes one instruction at the entry of every resumed function wrongly (between
// `push %r14` and `lea 0x8(%rsp), %rbp` the frame is taken for 8 bytes less), so the functions work
// for a while between two awaits, as those of real programs do.

protocol Shape: Sendable {
  func area(_ scale: Double) async -> Double
}

struct Square: Shape {
  var side: Double
  func area(_ scale: Double) async -> Double { series(side * side * scale) }
}

struct Ring: Shape {
  var radius: Double
  func area(_ scale: Double) async -> Double { series(3.14 * radius * scale) }
}

@inline(never) func series(_ x: Double) -> Double {
  var sum = 0.0
  for term in 1...40 { sum += x / Double(term * term) }
  return sum
}

@inline(never) func sum<S: Sequence>(_ shapes: S, _ scale: Double) async -> Double
where S.Element == any Shape {
  var total = 0.0
  for shape in shapes { total += await shape.area(scale) }
  return total
}

@inline(never) func fold<S: Sequence>(_ items: S) -> [S.Element: Int] where S.Element: Hashable {
  items.reduce(into: [:]) { counts, item in counts[item, default: 0] += 1 }
}

@main struct Tasks {
  static func main() async {
    let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 60
    var shapes: [any Shape] = []
    for size in 0..<500 {
      shapes.append(Square(side: Double(size)))
      shapes.append(Ring(radius: Double(size)))
    }
    var total = 0.0
    for round in 0..<rounds { total += await once(shapes, Double(round)) }
    print(total < 0 ? "wrong" : "done")
  }

  static func once(_ shapes: [any Shape], _ round: Double) async -> Double {
    await withTaskGroup(of: Double.self) { group in
      for task in 0..<4 {
        group.addTask {
          var part = 0.0
          for step in 0..<60 { part += await sum(shapes, Double(step + task) + round) }
          let words = (0..<60_000).map { number in "\(number % 997)" }
          return part + Double(fold(words).count)
        }
      }
      return await group.reduce(0, +)
    }
  }
}
