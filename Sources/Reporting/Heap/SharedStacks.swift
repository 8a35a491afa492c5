import Foundation
import ProfileModel

/// Stacks of several profiles as functions by name, so that they compare where addresses and lines
/// moved between two builds.
struct SharedStacks {
  struct Function: Hashable, Sendable {
    /// Without what a compiler appends to tell copies of a function apart; empty where there is no
    /// symbol.
    var name: String
    /// The last part of its path.
    var module: String

    init(name: String, module: String) {
      self.module = Profile.basename(module)
      let isAddress = name.hasPrefix(module.isEmpty ? "0x" : self.module + "+0x")
      self.name = isAddress ? "" : Self.stable(name)
    }

    init(_ frame: Frame) { self.init(name: frame.name, module: frame.module) }

    private static func stable(_ name: String) -> String {
      let marks = [" [clone ", ".constprop.", ".isra.", ".part.", ".cold", ".llvm."]
      let end = marks.compactMap { name.range(of: $0)?.lowerBound }.min() ?? name.endIndex
      return end == name.startIndex ? name : String(name[..<end])
    }
  }
  private struct Edge: Hashable {
    var parent: Int
    var function: Int
  }

  private var functions: [Function: Int] = [:]
  private var nodes: [Edge: Int] = [:]

  /// The node that stands for no stack.
  static let root = 0

  /// By the index of a stack in `profile`: the number of its functions, which stacks of another
  /// profile with the same ones get too.
  mutating func numbers(of profile: Profile) -> [Int] {
    let atLocation = profile.locations.ids.map { location in
      profile.frames(of: location).reversed().map { number(of: Function($0)) }
    }
    var numbers: [Int] = []
    numbers.reserveCapacity(profile.stacks.count)
    // A parent is interned before its children, so its number is known.
    for row in profile.stacks.rows {
      var node = row.parent.map { numbers[$0.index] } ?? Self.root
      for function in atLocation[row.location.index] {
        let edge = Edge(parent: node, function: function)
        node = nodes[edge] ?? nodes.count + 1
        nodes[edge] = node
      }
      numbers.append(node)
    }
    return numbers
  }

  private mutating func number(of function: Function) -> Int {
    let number = functions[function] ?? functions.count
    functions[function] = number
    return number
  }
}
