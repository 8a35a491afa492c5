import ProfileModel
import Testing

@testable import Reporting

@Suite struct FrameRoleTests {
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
  func handOn(_ name: String) { #expect(FrameRole(name, module: "/bin/a") == .allocator) }

  @Test(arguments: [
    "main", "parse", "mallocator::use", "free_malloced", "load<malloc>(int)", "my_alloc_count",
    "std_use", "Swifty.run", "specialized Parser.run(_:)", "StringParser.init()",
    "array", "zero", "", "(anonymous namespace)::run", "mallopt", "main",
  ])
  func areOfThePrograms(_ name: String) { #expect(FrameRole(name, module: "/bin/a") == .program) }

  @Test(arguments: [
    "std::vector<int, std::allocator<int> >::push_back(int const&)",
    "void std::vector<int>::_M_realloc_insert<int const&>(int const&)",
    "std::__cxx11::basic_string<char>::_M_construct(unsigned long, char)", "Array.append(_:)",
    "specialized _ContiguousArrayBuffer.init(_uninitializedCount:minimumCapacity:)",
    "specialized Collection.map<A, B>(_:)", "__libc_start_call_main",
    "alloc::vec::Vec<T,A>::push", "<alloc::string::String as core::fmt::Write>::write_str",
  ])
  func areOfLibraries(_ name: String) { #expect(FrameRole(name, module: "/bin/a") == .library) }

  @Test func someFilesAreLibrariesWhole() {
    #expect(FrameRole("swift_getTypeName", module: "/usr/lib/libswiftCore.so") == .library)
    #expect(FrameRole("_dl_new_object", module: "/lib64/ld-linux-x86-64.so.2") == .library)
    #expect(FrameRole("swift_getTypeName", module: "/usr/lib/libmine.so") == .program)
  }

  @Test func sitesAreNamedAfterTheInnermostOfTheProgram() {
    var builder = HeapBuilder()
    builder.addProcess("a", pid: 1)
    func first(_ frames: [String]) -> [String] {
      let stack = builder.stack(frames)
      return CallerNames(builder.profile).callers(of: stack, atMost: 2).map(\.name)
    }
    #expect(
      first(["main", "load", "std::map<int>::insert", "std::allocator<int>::allocate"]) == [
        "load", "main",
      ])
    #expect(
      first(["std::thread::run", "std::vector<int>::resize", "operator new(int)"]).first
        == "std::vector<int>::resize")
    #expect(first(["xmalloc", "operator new(int)"]).first == "operator new(int)")
    // Code without a symbol below an allocator is part of it.
    #expect(first(["main", "xmalloc", "server+0x10"]) == ["main"])
    #expect(first(["main", "server+0x20", "xmalloc", "server+0x10"]) == ["server+0x20", "main"])
    #expect(first(["main", "server+0x20", "server+0x10"]) == ["server+0x10", "server+0x20"])
    #expect(first(["main", "std::f", "server+0x10"]) == ["server+0x10", "std::f"])
    #expect(first(["server+0x10"]) == ["server+0x10"])
    #expect(CallerNames(builder.profile).callers(of: nil).isEmpty)
  }
}
