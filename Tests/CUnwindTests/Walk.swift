import CUnwind
import TestSupport
import Testing
import UnwindProbe

/// `UNWIND_EXACT`, a macro that Swift does not import.
let UNWIND_EXACT_BIT: UInt64 = 1 << 63

final class Cache: Sendable {
  nonisolated(unsafe) let pointer: UnsafeMutablePointer<unwind_cache>
  let count: Int

  init(entries: Int) {
    pointer = probe_make_cache(UInt32(entries))
    count = entries
  }
  deinit { probe_free_cache(pointer) }

  func forget() { unwind_forget(pointer) }

  var entries: UnsafeMutableBufferPointer<unwind_cache_entry> {
    UnsafeMutableBufferPointer(start: pointer.pointee.entries, count: count)
  }
}

/// One walk of a stack, and what the C library makes of the same one.
final class Walk {
  let pointer: UnsafeMutablePointer<probe_walk>
  private let cache: Cache

  init(_ cache: Cache) {
    self.cache = cache
    pointer = probe_make_walk(cache.pointer)
  }
  deinit { probe_free_walk(pointer) }

  var ending: unwind_ending { pointer.pointee.result.ending }
  var frames: [UInt64] { pointer.pointee.found }
  var expected: [UInt64] { pointer.pointee.wanted }
  var exactFrames: [UInt64] { frames.filter { $0 & UNWIND_EXACT_BIT != 0 } }

  func expectTheSame(sourceLocation: SourceLocation = #_sourceLocation) {
    let isSame = frames.map { $0 & ~UNWIND_EXACT_BIT } == expected
    #expect(isSame, "\(pointer.pointee.comparison)", sourceLocation: sourceLocation)
    #expect(ending == UNWIND_COMPLETE, sourceLocation: sourceLocation)
  }
}

extension probe_walk {
  var found: [UInt64] {
    withUnsafeBytes(of: frames) { Array($0.bindMemory(to: UInt64.self).prefix(Int(count))) }
  }
  var wanted: [UInt64] {
    withUnsafeBytes(of: expected) {
      Array($0.bindMemory(to: UInt64.self).prefix(Int(expected_count)))
    }
  }
  var comparison: String {
    func hex(_ frames: [UInt64]) -> String {
      frames.map { String($0, radix: 16) }.joined(separator: " ")
    }
    return "found \(hex(found)), ending \(result.ending.rawValue), expected \(hex(wanted))"
  }
}

/// An object that gcc builds and this process loads.
final class Plugin {
  let path: String
  let handle: UnsafeMutableRawPointer
  private let folder: Scratch

  init(_ text: String, _ options: [String]) throws {
    (folder, path) = try Self.build(text, options)
    handle = try Self.open(path)
  }
  deinit { probe_close(handle) }

  static func open(_ path: String) throws -> UnsafeMutableRawPointer {
    let handle: UnsafeMutableRawPointer? = probe_open(path)
    return try #require(handle)
  }

  /// Of all loaded objects without a handle.
  static func symbol(_ name: String, in handle: UnsafeMutableRawPointer?) throws -> UInt64 {
    let address = UInt64(UInt(bitPattern: probe_symbol(handle, name)))
    try #require(address != 0, "\(name) is not there")
    return address
  }

  static func build(_ text: String, _ options: [String]) throws -> (folder: Scratch, path: String) {
    let folder = try Scratch()
    let source = try folder.write(text, "plugin.c")
    try run(["gcc", "-shared", "-fPIC", "-w"] + options + [source, "-o", folder("plugin.so")])
    return (folder, folder("plugin.so"))
  }
}
