import ProfileModel
import Symbols
import TestSupport

/// A profile of single addresses of one file, symbolised.
struct Symbolized {
  private(set) var profile = Profile()
  let problems: [SymbolProblem]
  private let order: [ID<Location>]

  init(
    _ path: String, _ addresses: [UInt64], kind: Mapping.Kind = .file, buildID: BuildID? = nil,
    debugFolders: [String] = []
  ) {
    let mapping = profile.mappings.intern(
      Mapping(
        kind: kind, path: profile.strings.intern(path), buildID: buildID, start: FileAddress(0),
        end: FileAddress(.max), offset: FileOffset(0)))
    var order: [ID<Location>] = []
    for address in addresses {
      order.append(profile.locations.intern(.code(mapping, FileAddress(address))))
    }
    self.order = order
    problems = Symbolizer(debugFolders: debugFolders).symbolize(&profile)
  }

  /// Frames of the address with this index, innermost first.
  func frames(_ index: Int) -> [Frame] { profile.frames(of: order[index]) }

  /// Name, file and line of each frame of each address.
  var texts: [[String]] {
    order.map { location in
      profile.locations[location].lines.map { line in
        let function = profile.functions[line.function]
        let file = function.file.map { profile.strings[$0] } ?? "??"
        return "\(profile.strings[function.systemName]) \(file):\(line.line)"
      }
    }
  }
}

/// The addresses of all instructions that objdump finds in `.text`.
func instructions(_ path: String) throws -> [UInt64] {
  try run(["objdump", "-d", "--no-show-raw-insn", "-j", ".text", path])
    .split(separator: "\n").compactMap { line in
      guard line.first == " ", let colon = line.firstIndex(of: ":") else { return nil }
      return UInt64(line[..<colon].drop { $0 == " " }, radix: 16)
    }
}

struct MissingSymbol: Error {
  let name: String
  let path: String
}

/// The address of a symbol, by nm.
func address(of symbol: String, in path: String) throws -> UInt64 {
  for line in try run(["nm", path]).split(separator: "\n") {
    let row = line.split(separator: " ")
    if row.count == 3, row[2] == symbol, let value = UInt64(row[0], radix: 16) { return value }
  }
  throw MissingSymbol(name: symbol, path: path)
}

/// Names and places of each address, in the form of ``Symbolized/texts``, by a tool that prints
/// pairs of lines.
private func pairs(_ command: [String], _ addresses: [UInt64]) throws -> [[String]] {
  let input = addresses.map { "0x" + String($0, radix: 16) }.joined(separator: "\n") + "\n"
  var result: [[String]] = []
  var name: Substring?
  for line in try run(command, input: input).split(separator: "\n") {
    if line.hasPrefix("0x") {
      result.append([])
    } else if let function = name {
      // file:line, with a column or a discriminator behind it, or a `?` for the line.
      let parts = line.prefix { $0 != " " }.split(separator: ":")
      result[result.count - 1].append("\(function) \(parts[0]):\(Int(parts[1]) ?? 0)")
      name = nil
    } else {
      name = line
    }
  }
  return result
}

/// binutils. It gives an inlined function without linkage name the name of the symbol around it,
/// so only its places, and the name of the outermost function, are an oracle.
func addr2line(_ path: String, _ addresses: [UInt64]) throws -> [[String]] {
  try pairs(["addr2line", "-aif", "-e", path], addresses)
}

/// LLVM, of the Swift toolchain.
func llvmSymbolizer(_ path: String, _ addresses: [UInt64]) throws -> [[String]] {
  try pairs(
    [
      "llvm-symbolizer", "--obj=" + path, "-a", "--inlines", "--no-demangle", "--functions=linkage",
    ],
    addresses)
}

/// A C++ program with inlined calls two deep, a template, a lambda, a recursion and a cold path.
let source = """
  #include <stdio.h>
  #include <stdlib.h>
  namespace shop {
  struct Item { int price; int count; };
  static inline int tax(int price) { return price * price / 7 + rand(); }
  template <typename T> static inline T total(T price, T count) {
    return tax(price) *
           count;
  }
  __attribute__((cold, noinline)) void odd() {
    fprintf(stderr, "odd\\n");
    abort();
  }
  __attribute__((noinline)) int sum(const Item *items, int n) {
    int result = 0;
    for (int i = 0; i < n; i++)
      result += total(items[i].price, items[i].count);
    if (result == 12345)
      odd();
    return result;
  }
  __attribute__((noinline)) int depth(int n) {
    auto half = [](int x) { return x / 2 + rand(); };
    return n <= 0 ? half(n) : depth(n - 1) + 1;
  }
  }
  int main(int argc, char **argv) {
    shop::Item items[] = {{argc, 2}, {3, argc}};
    return shop::sum(items, 2) + shop::depth(argc);
  }

  """
