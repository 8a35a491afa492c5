// heap_script: calls every function that gives or takes memory, a known number of times, from one
// thread, and allocates nothing else.
//
// Answer: the lines it prints, which are written down by hand:
//   FUNCTION ALLOCATIONS BYTES FREES BYTES TEMPORARY BYTES     of the blocks that FUNCTION made
//   total                                                      of all blocks
//   failed CALLS      peak BLOCKS BYTES      kept FUNCTION BLOCKS BYTES (not freed at the end)
//   mapping, break    as for a function, of memory from mmap and sbrk
// A block is temporary if its thread frees it as its next action. realloc frees and allocates; a
// call that fails does nothing. Sizes are those asked for.
#define _GNU_SOURCE
#include "heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <sys/mman.h>

enum { mega = 1 << 20, page = 4096 };

// Known to nobody but the linker, so that no compiler warns of a size that cannot be had.
static volatile size_t too_much = SIZE_MAX / 2;

#define LEAKS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9)

#define LEAK(n)                                                                                    \
  site static void leak_##n(void) { keep(malloc((n + 1) * 111)); }
LEAKS(LEAK)

site static void make_leaks(void) {
#define CALL(n) leak_##n();
  LEAKS(CALL)
}

site static void use_malloc(void) {
  void *a = keep(malloc(100));
  void *b = keep(malloc(200));
  free(keep(malloc(0))); // temporary
  free(b);
  free(a);
  free(NULL);
  require(keep(malloc(too_much)) == NULL);
}

site static void use_calloc(void) {
  char *a = keep(calloc(10, 12));
  require(a[0] == 0 && a[119] == 0);
  free(a); // temporary
  require(keep(calloc(too_much, 4)) == NULL);
}

site static void use_realloc(void) {
  char *a = keep(realloc(NULL, 50));
  a[49] = 7;
  a = keep(realloc(a, 500)); // the 50 were temporary
  require(a[49] == 7);
  a = keep(realloc(a, 20)); // and the 500
  void *b = keep(malloc(30));
  require(realloc(keep(a), too_much) == NULL);
  require(realloc(keep(a), 0) == NULL); // frees
  free(b);
}

site static void use_reallocarray(void) {
  void *a = keep(reallocarray(NULL, 4, 25));
  a = keep(reallocarray(a, 8, 25)); // the 100 were temporary
  void *b = keep(malloc(1));
  require(reallocarray(keep(a), too_much, 4) == NULL);
  free(a);
  free(b);
}

site static void use_aligned(void) {
  void *a = NULL;
  require(posix_memalign(&a, 24, 10) == EINVAL);
  require(posix_memalign(&a, 64, 1000) == 0);
  void *blocks[] = {keep(a), keep(aligned_alloc(256, 512)), keep(memalign(32, 300)),
                    keep(valloc(5000)), keep(pvalloc(2 * page))};
  const size_t alignment[] = {64, 256, 32, page, page};
  for (int i = 0; i < 5; i++) {
    require(blocks[i] != NULL && (uintptr_t)blocks[i] % alignment[i] == 0);
    free(blocks[i]);
  }
}

// The ways to free that glibc 2.36 does not offer to new programs; a preloaded library may.
site static void use_other_frees(void) {
  void (*old_free)(void *) = dlsym(RTLD_DEFAULT, "cfree");
  void (*sized)(void *, size_t) = dlsym(RTLD_DEFAULT, "free_sized");
  void (*aligned)(void *, size_t, size_t) = dlsym(RTLD_DEFAULT, "free_aligned_sized");
  void *a = keep(malloc(10));
  void *b = keep(malloc(20));
  void *c = keep(aligned_alloc(64, 128));
  old_free ? old_free(a) : free(a);
  sized ? sized(b, 20) : free(b);
  aligned ? aligned(c, 64, 128) : free(c);
}

site static void make_temporary(void) {
  for (int i = 0; i < 1000; i++) {
    free(keep(malloc(32)));
  }
}

site static void make_pairs(void) {
  for (int i = 0; i < 100; i++) {
    void *a = keep(malloc(16));
    void *b = keep(malloc(48));
    free(a);
    free(b);
  }
}

site static void make_many(int count) {
  static void *blocks[50];
  for (int i = 0; i < count; i++) {
    blocks[i] = keep(malloc(10000));
  }
  for (int i = 0; i < count; i++) {
    free(blocks[i]);
  }
}

// Two functions, so that what one holds at the peak is not mixed with what the other had.
site static void make_peak(void) {
  make_many(50);
  keep(0);
}

site static void make_less(void) {
  make_many(49);
  keep(0);
}

site static void use_mappings(void) {
  const int protection = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
  void *a = mmap(NULL, 3 * page, protection, flags, -1, 0);
  require(a != MAP_FAILED);
  a = mremap(a, 3 * page, 6 * page, MREMAP_MAYMOVE);
  require(a != MAP_FAILED);
  require(mmap(NULL, mega, protection, flags, -1, 0) != MAP_FAILED);
  require(munmap(a, 6 * page) == 0);
}

site static void use_break(void) { require(sbrk(2 * page) != (void *)-1); }

int main(void) {
  make_leaks();
  use_malloc();
  use_calloc();
  use_realloc();
  use_reallocarray();
  use_aligned();
  use_other_frees();
  make_temporary();
  make_pairs();
  make_peak();
  make_less();
  use_mappings();
  use_break();
  say("use_malloc 3 300 3 300 1 0\n");
  say("use_calloc 1 120 1 120 1 120\n");
  say("use_realloc 4 600 4 600 2 550\n");
  say("use_reallocarray 3 301 3 301 1 100\n");
  say("use_aligned 5 15004 5 15004 0 0\n");
  say("use_other_frees 3 158 3 158 0 0\n");
  say("make_temporary 1000 32000 1000 32000 1000 32000\n");
  say("make_pairs 200 6400 200 6400 0 0\n");
  say("make_peak 50 500000 50 500000 0 0\n");
  say("make_less 49 490000 49 490000 0 0\n");
#define SAY_LEAK(n) say("leak_" #n " 1 %d 0 0 0 0\n", (n + 1) * 111);
  LEAKS(SAY_LEAK)
  say("total 1328 1050988 1318 1044883 1005 32770\n");
  say("failed 5\n");
  say("peak 60 506105\n");
  say("mapping 3 %d 2 %d\n", 9 * page + mega, 9 * page);
  say("break 1 %d 0 0\n", 2 * page);
  return 0;
}
