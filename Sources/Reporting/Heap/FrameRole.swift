import ProfileModel

/// What a function has to do with the blocks that are allocated below it. A site is named after the
/// innermost function that decided to allocate.
enum FrameRole: Sendable {
  /// Only hands on what it allocates: `operator new`, `xmalloc`.
  case allocator
  /// Part of the language: `std::vector<int>::push_back`, `Swift.Array.append`.
  case library
  case program

  init(_ name: String, module: String) {
    let file = Profile.basename(module)
    if AllocatorFunctions.contains(name) || Self.allocators.contains(where: name.hasPrefix)
      || Self.isNamedAsAllocator(Self.baseName(name))
    {
      self = .allocator
    } else {
      let isLibrary =
        Self.modules.contains(where: file.hasPrefix) || Self.isOfLanguage(name)
        || Self.starters.contains(name)
      self = isLibrary ? .library : .program
    }
  }

  // MARK: - Allocators

  private static let allocators = [
    // C++
    "std::allocator", "std::__new_allocator", "__gnu_cxx::new_allocator", "std::_Vector_base",
    "std::__1::allocator", "std::__1::__libcpp_allocate",
    // Swift
    "static Swift._allocateUninitializedArray", "Swift._allocateUninitializedArray",
    // Rust
    "__rg_alloc", "alloc::raw_vec::", "<alloc::raw_vec::", "std::alloc::", "<std::alloc::",
    "<alloc::alloc::", "std::sys::alloc::",
    // GCC
    "ggc_internal_", "ggc_alloc",
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

  // MARK: - Libraries of languages

  private static func isOfLanguage(_ name: String) -> Bool {
    let plain = name.hasPrefix("specialized ") ? name.dropFirst("specialized ".count) : name[...]
    return languages.contains(where: plain.hasPrefix)
  }

  private static let languages = [
    // C++; templates are written with what they return.
    "std::", "void std::", "bool std::", "__gnu_cxx::", "void __gnu_cxx::",
    // Rust
    "<std::", "alloc::", "<alloc::", "core::", "<core::",
    // Swift, whose names are written without their module
    "__swift_", "_ContiguousArrayBuffer", "_ArrayBuffer", "_copyCollectionToContiguousArray",
    "ContiguousArray.", "Array.", "Dictionary.", "Set.", "String.", "_NativeDictionary",
    "_NativeSet", "_DictionaryStorage", "_SetStorage", "_StringGuts", "_StringObject",
    "Sequence.", "Collection.",
  ]

  /// Files with nothing of the program.
  private static let modules = [
    "libswiftCore.so", "libswift_Concurrency.so", "libswift_StringProcessing.so", "ld-linux",
  ]

  /// What begins a program or a thread.
  private static let starters: Set<String> = [
    "_start", "__libc_start_main", "__libc_start_call_main", "call_init", "start_thread",
    "clone3", "__clone", "__GI___clone", "_dl_init",
  ]
}
