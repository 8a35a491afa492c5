import CDemangle

/// Turns names of the symbol table into names as people write them: C++, Rust, Swift and D.
package struct Demangler {
  /// Longer names, and names whose readable form is longer, stay as they are.
  package static let lengthLimit = 64 * 1024

  private var output = [CChar](repeating: 0, count: lengthLimit)

  package init() {}

  /// The readable form of `name`, or `name` itself when it is not mangled.
  ///
  /// A symbol version (`@GLIBC_2.2.5`) and the suffix of a ThinLTO import (`.llvm.123`) are
  /// dropped: they say nothing about the code. Suffixes of clones made by the compiler stay, for
  /// C++ as ` [clone .cold]`.
  package mutating func demangle(_ name: String) -> String {
    guard name.utf8.count <= Self.lengthLimit else { return name }
    if name.hasSuffix("@plt") { return demangle(String(name.dropLast(4))) + "@plt" }
    let plain = Self.withoutVersion(name)
    return readable(plain) ?? plain
  }

  private mutating func readable(_ name: String) -> String? {
    if name.hasPrefix("_Z") || name.hasPrefix("__Z") || name.hasPrefix("_GLOBAL_") {
      // Rust's older scheme is a C++ name that ends in a hash; only its demangler knows to drop it.
      return call(qprof_demangle_rust, name) ?? call(qprof_demangle_cxx, name)
    }
    if name.hasPrefix("_R") { return call(qprof_demangle_rust, name) }
    if name.hasPrefix("_D") { return call(qprof_demangle_d, name) }
    // `$s`, `$S` and, for Embedded Swift, `$e`, with or without an underscore; `_T` before Swift 5;
    // `@__swiftmacro_` where a macro was expanded.
    if ["$s", "$S", "$e", "_$s", "_$S", "_$e", "_T", "@__swiftmacro_"].contains(
      where: name.hasPrefix)
    {
      // Simplified, the name of a closure in top-level code ends in the middle of its sentence.
      return call(qprof_demangle_swift, name).map { $0.hasSuffix(" in ") ? $0 + "main" : $0 }
    }
    return nil
  }

  private typealias Function = (UnsafePointer<CChar>, UnsafeMutablePointer<CChar>, Int) -> Int

  private mutating func call(_ demangler: Function, _ name: String) -> String? {
    let length = output.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { demangler(name, $0, buffer.count) } ?? 0
    }
    guard length > 0 else { return nil }
    return String(decoding: output[..<length].lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func withoutVersion(_ name: String) -> String {
    // Not at the start: `@__swiftmacro_` begins a name.
    var end = name.dropFirst().firstIndex(of: "@") ?? name.endIndex
    if let thinLTO = name.range(of: ".llvm.", in: name.startIndex..<end),
      name[thinLTO.upperBound..<end].allSatisfy(\.isHexDigit)
    {
      end = thinLTO.lowerBound
    }
    return String(name[..<end])
  }
}

extension String {
  /// The last place of `text` within `bounds`.
  fileprivate func range(of text: String, in bounds: Range<Index>) -> Range<Index>? {
    self[bounds].ranges(of: text).last
  }
}
