/// Functions between a program and `malloc` that say nothing about either: a profile may leave them
/// out, so that stacks end where the program decided to allocate.
package enum AllocatorFunctions {
  /// By name, as demanglers write it without arguments.
  private static let names: Set<String> = [
    // Swift and Objective-C.
    "swift_allocObject", "_swift_allocObject_", "swift_slowAlloc", "swift_slowAllocTyped",
    "swift_allocBox", "swift_bufferAllocate",
    // Rust.
    "__rust_alloc", "__rust_alloc_zeroed", "__rust_realloc", "__rdl_alloc", "__rdl_alloc_zeroed",
    "__rdl_realloc",
    // GLib.
    "g_malloc", "g_malloc0", "g_malloc_n", "g_malloc0_n", "g_realloc", "g_realloc_n",
    "g_try_malloc", "g_try_malloc0", "g_slice_alloc", "g_slice_alloc0",
    // CPython.
    "PyMem_Malloc", "PyMem_Calloc", "PyMem_Realloc", "PyMem_RawMalloc", "PyMem_RawCalloc",
    "PyMem_RawRealloc", "PyObject_Malloc", "PyObject_Calloc", "PyObject_Realloc",
    "_PyMem_RawMalloc", "_PyMem_RawCalloc", "_PyMem_RawRealloc",
    // GNU programs.
    "xmalloc", "xcalloc", "xrealloc", "xzalloc", "xnmalloc", "xmallocarray", "xreallocarray",
  ]
  /// Beginnings of names: `operator new[](unsigned long)`, `alloc::alloc::exchange_malloc`.
  private static let prefixes = ["operator new", "alloc::alloc::", "<alloc::alloc::Global as "]

  package static func contains(_ name: String) -> Bool {
    names.contains(name) || prefixes.contains { name.hasPrefix($0) } || isStandardAllocator(name)
  }

  /// `std::allocator<char>::allocate(unsigned long)` and what its traits and containers make of it.
  private static func isStandardAllocator(_ name: String) -> Bool {
    (name.hasPrefix("std::") || name.hasPrefix("__gnu_cxx::")) && name.contains("allocate(")
  }
}

extension Profile {
  /// The profile whose samples end at the callers of ``AllocatorFunctions``. A stack of nothing
  /// else is left as it is.
  package func hidingAllocators() -> Profile {
    let isAllocator = locations.ids.map { location in
      frames(of: location).allSatisfy { AllocatorFunctions.contains($0.name) }
    }
    // A parent is interned before its children, so its answer is known; nil where nothing is left.
    var below: [ID<StackNode>?] = []
    below.reserveCapacity(stacks.count)
    for (row, node) in stacks.rows.enumerated() {
      let rest = node.parent.flatMap { below[$0.index] }
      below.append(isAllocator[node.location.index] ? rest : ID(row))
    }
    var result = self
    for row in samples.indices {
      guard let stack = samples[row].stack else { continue }
      result.samples[row].stack = below[stack.index] ?? stack
    }
    return result
  }
}
