// heap_script_cxx: every form of operator new and delete, a known number of times.
//
// Answer: as heap_script prints it: FUNCTION ALLOCATIONS BYTES FREES BYTES TEMPORARY BYTES. What
// the C++ library allocates for itself is in none of the lines.
#include "heap.h"

#include <new>

struct alignas(128) Wide {
  char bytes[256];
};

static volatile size_t too_much = SIZE_MAX / 2;

site static void use_new() {
  int *one = keep(new int(1));
  char *many = keep(new char[300]);
  delete one;
  delete[] many;
}

site static void use_nothrow_new() {
  long *one = keep(new (std::nothrow) long(1));
  char *many = keep(new (std::nothrow) char[40]);
  ::operator delete(one, std::nothrow);
  ::operator delete[](many, std::nothrow);
}

// libstdc++ throws and catches inside, and allocates the exception.
static void fail_nothrow_new() { require(keep(::operator new(too_much, std::nothrow)) == nullptr); }

site static void use_aligned_new() {
  Wide *one = keep(new Wide);
  Wide *many = keep(new Wide[3]);
  require(reinterpret_cast<uintptr_t>(one) % 128 == 0);
  require(reinterpret_cast<uintptr_t>(many) % 128 == 0);
  delete one;
  delete[] many;
}

site static void use_sized_delete() {
  void *one = keep(::operator new(64));
  void *aligned = keep(::operator new(192, std::align_val_t(64)));
  ::operator delete(one, size_t(64));
  ::operator delete(aligned, size_t(192), std::align_val_t(64));
}

site static void keep_new() { keep(new char[77]); }

int main() {
  use_new();
  use_nothrow_new();
  fail_nothrow_new();
  use_aligned_new();
  use_sized_delete();
  keep_new();
  say("use_new 2 304 2 304 0 0\n");
  say("use_nothrow_new 2 48 2 48 0 0\n");
  say("use_aligned_new 2 1024 2 1024 0 0\n");
  say("use_sized_delete 2 256 2 256 0 0\n");
  say("keep_new 1 77 0 0 0 0\n");
  return 0;
}
