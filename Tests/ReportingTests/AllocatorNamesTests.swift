import Testing

@testable import Reporting

@Suite struct AllocatorNamesTests {
  @Test(arguments: [
    "operator new(unsigned long)", "operator new[](unsigned long, std::align_val_t)",
    "std::__new_allocator<int>::allocate(unsigned long, void const*)",
    "std::allocator_traits<std::allocator<int> >::allocate(std::allocator<int>&, unsigned long)",
    "std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)",
    "swift_allocObject", "swift_slowAlloc", "__rust_alloc", "alloc::alloc::exchange_malloc",
    "<alloc::alloc::Global as core::alloc::Allocator>::allocate",
    "alloc::raw_vec::RawVec<T,A>::grow_one", "xmalloc", "xstrdup", "g_malloc0_n", "__strdup",
    "sqlite3DbMallocRawNN", "sqlite3MallocZero", "sqlite3DbReallocOrFree", "_PyMem_RawMalloc",
    "PyObject_Calloc", "reallocarray", "my::pool::Malloc(int)", "sqlite3_realloc64",
  ])
  func handOn(_ name: String) { #expect(AllocatorNames.contains(name)) }

  @Test(arguments: [
    "main", "parse", "mallocator::use", "free_malloced", "load<malloc>(int)", "my_alloc_count",
    "std::vector<int, std::allocator<int> >::push_back(int const&)", "Swift.Array.append",
    "array", "zero", "", "(anonymous namespace)::run", "mallopt",
  ])
  func areCallers(_ name: String) { #expect(!AllocatorNames.contains(name)) }
}
