// The functions that this library interposes, each with what it does when nothing can be done.

#ifndef QPROF_FUNCTIONS_H
#define QPROF_FUNCTIONS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/types.h>

// NAME, RESULT, PARAMETERS, ARGUMENTS, result of a failure
#define QPROF_ALLOCATION_FUNCTIONS(X)                                                              \
  X(malloc, void *, (size_t size), (size), NULL)                                                   \
  X(calloc, void *, (size_t count, size_t size), (count, size), NULL)                              \
  X(realloc, void *, (void *block, size_t size), (block, size), NULL)                              \
  X(free, void, (void *block), (block), )                                                          \
  X(cfree, void, (void *block), (block), )                                                         \
  X(free_sized, void, (void *block, size_t size), (block, size), )                                 \
  X(free_aligned_sized, void, (void *block, size_t alignment, size_t size),                        \
    (block, alignment, size), )                                                                    \
  X(posix_memalign, int, (void **block, size_t alignment, size_t size), (block, alignment, size),  \
    ENOMEM)                                                                                        \
  X(aligned_alloc, void *, (size_t alignment, size_t size), (alignment, size), NULL)               \
  X(memalign, void *, (size_t alignment, size_t size), (alignment, size), NULL)                    \
  X(valloc, void *, (size_t size), (size), NULL)                                                   \
  X(pvalloc, void *, (size_t size), (size), NULL)                                                  \
  X(mmap, void *, (void *at, size_t size, int protection, int flags, int file, off_t offset),      \
    (at, size, protection, flags, file, offset), MAP_FAILED)                                       \
  X(mmap64, void *, (void *at, size_t size, int protection, int flags, int file, off64_t offset),  \
    (at, size, protection, flags, file, offset), MAP_FAILED)                                       \
  X(munmap, int, (void *at, size_t size), (at, size), -1)                                          \
  X(mremap, void *, (void *at, size_t size, size_t new_size, int flags, void *new_at),             \
    (at, size, new_size, flags, new_at), MAP_FAILED)                                               \
  X(brk, int, (void *end), (end), -1)                                                              \
  X(sbrk, void *, (intptr_t growth), (growth), (void *)-1)

// The next definition of each: the C library's, or that of an allocator that the program links.
struct qprof_functions {
#define MEMBER(name, result, parameters, arguments, failure) result(*name) parameters;
  QPROF_ALLOCATION_FUNCTIONS(MEMBER)
#undef MEMBER
};

extern struct qprof_functions qprof_next_functions __attribute__((visibility("hidden")));

#endif
