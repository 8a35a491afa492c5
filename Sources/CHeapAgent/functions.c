// Finding the next definitions takes dlsym, which may itself allocate. What it asks for meanwhile
// comes from a small pool, and what it gives back to the pool stays there: all other blocks are
// freed by the allocator that made them.

#include "functions.h"
#include "../CSamplerAgent/sampler.h"
#include "heap.h"
#include <stdbool.h>

static bool finding;

static void find_all(void);

// Until the first call the table holds functions that fill it in.
#define FIRST(name, result, parameters, arguments, failure)                                        \
  static result first_##name parameters {                                                          \
    if (finding)                                                                                   \
      return failure;                                                                              \
    find_all();                                                                                    \
    return qprof_next_functions.name arguments;                                                    \
  }
QPROF_ALLOCATION_FUNCTIONS(FIRST)
#undef FIRST

struct qprof_functions qprof_next_functions = {
#define ENTRY(name, result, parameters, arguments, failure) .name = first_##name,
    QPROF_ALLOCATION_FUNCTIONS(ENTRY)
#undef ENTRY
};

char qprof_pool[qprof_pool_size] __attribute__((aligned(16)));
static size_t pool_used;

// Each block has its size before it.
static void *pool_malloc(size_t size) {
  size_t needed = (size + 31) & ~(size_t)15;
  if (size > sizeof qprof_pool || needed > sizeof qprof_pool - pool_used)
    return NULL;
  char *block = qprof_pool + pool_used + 16;
  pool_used += needed;
  ((size_t *)block)[-1] = size;
  return block;
}

static void *pool_calloc(size_t count, size_t size) {
  size_t bytes; // the pool is zero, and nothing in it is used twice
  return __builtin_mul_overflow(count, size, &bytes) ? NULL : pool_malloc(bytes);
}

static void copy_from_pool(char *to, const char *from, size_t size) {
  size_t old = ((const size_t *)from)[-1];
  for (size_t i = 0; i < size && i < old; i++)
    to[i] = from[i];
}

static void *pool_realloc(void *block, size_t size) {
  void *new = pool_malloc(size);
  if (new &&block)
    copy_from_pool(new, block, size);
  return new;
}

static void pool_free(void *block) { (void)block; }

void *qprof_move_from_pool(void *block, size_t size) {
  void *new = qprof_next_functions.malloc(size);
  if (new)
    copy_from_pool(new, block, size);
  return new;
}

// Those that the C library lacks end in free, as they are defined to.
static void free_cfree(void *block) { qprof_next_functions.free(block); }
static void free_free_sized(void *block, size_t size) {
  (void)size;
  qprof_next_functions.free(block);
}
static void free_free_aligned_sized(void *block, size_t alignment, size_t size) {
  (void)alignment, (void)size;
  qprof_next_functions.free(block);
}

static void find_all(void) {
  uint32_t mode = qprof_mode;
  qprof_mode = 0; // what this takes is not the program's
  finding = true;
  struct qprof_functions found;
  qprof_next_functions.malloc = pool_malloc;
  qprof_next_functions.calloc = pool_calloc;
  qprof_next_functions.realloc = pool_realloc;
  qprof_next_functions.free = pool_free;
#define FIND(name, result, parameters, arguments, failure)                                         \
  found.name = (result(*) parameters)qprof_next(#name);
  QPROF_ALLOCATION_FUNCTIONS(FIND)
#undef FIND
  if (!found.cfree)
    found.cfree = free_cfree;
  if (!found.free_sized)
    found.free_sized = free_free_sized;
  if (!found.free_aligned_sized)
    found.free_aligned_sized = free_free_aligned_sized;
  qprof_next_functions = found;
  finding = false;
  qprof_mode = mode;
}
