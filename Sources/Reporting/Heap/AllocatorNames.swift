import ProfileModel

/// Which functions only hand on what they allocate: a site is named after the first caller that
/// is none of them.
enum AllocatorNames {
  static func contains(_ name: String) -> Bool {
    AllocatorFunctions.contains(name) || prefixes.contains(where: name.hasPrefix)
      || isNamedAsAllocator(baseName(name))
  }

  private static let prefixes = [
    // C++
    "std::allocator", "std::__new_allocator", "__gnu_cxx::new_allocator", "std::_Vector_base",
    "std::__detail::_Hashtable_alloc", "std::__cxx11::basic_string<char>::_M_create",
    "std::__1::allocator", "std::__1::__libcpp_allocate",
    // Swift
    "static Swift._allocateUninitializedArray", "Swift._allocateUninitializedArray",
    // Rust
    "__rg_alloc", "alloc::raw_vec::", "<alloc::raw_vec::", "std::alloc::", "<std::alloc::",
    "<alloc::alloc::", "std::sys::alloc::",
    // Python
    "_PyObject_New", "_PyObject_GC_New", "_PyObject_GC_Alloc", "_PyObject_GC_Resize",
    "PyType_GenericAlloc", "_PyType_AllocNoTrack", "gc_alloc",
  ]

  /// `sqlite3DbMallocRawNN`, `xmalloc`, `g_malloc0_n`, `_PyMem_RawCalloc`: what ends in the name of
  /// an allocation function, or in that and a word for a variant of it.
  private static func isNamedAsAllocator(_ base: Substring) -> Bool {
    var name = base.lowercased()[...]
    while let variant = variants.first(where: { name.hasSuffix($0) && name.count > $0.count }) {
      name = name.dropLast(variant.count)
    }
    return functions.contains { name.hasSuffix($0) }
  }

  private static let functions = [
    "malloc", "calloc", "realloc", "zalloc", "memalign", "aligned_alloc", "strdup", "strndup",
    "memdup",
  ]
  private static let variants = ["raw", "zero", "nn", "0", "_n", "64", "orfree", "_", "array"]

  /// The last part of a qualified name, without what follows it in brackets.
  private static func baseName(_ name: String) -> Substring {
    let end = name.firstIndex { $0 == "(" || $0 == "<" || $0 == " " } ?? name.endIndex
    let name = name[..<end]
    return name.lastIndex(of: ":").map { name[name.index(after: $0)...] } ?? name
  }
}
