// Walks the stack of the calling thread by rows, which are made on first use from the unwind
// tables of the loaded objects and kept in a cache. Async-signal-safe.

#ifndef UNWIND_WALK_H
#define UNWIND_WALK_H

#include "unwind_rows.h"

struct unwind_cache_entry {
  uint64_t check;
  uint64_t row;
};

// Shared by all threads of a process, without locks: a pair that two threads tore fails its check.
struct unwind_cache {
  struct unwind_cache_entry *entries; // zeros at first, aligned to 64 bytes
  uint32_t mask;                      // number of entries minus 1; a power of two, at least 4
  uint32_t generation;                // the low 16 bits count; see unwind_forget
};

// [low, high): memory of a thread's stack that is known to be readable; empty at first. A walk
// extends it. It may be kept from walk to walk of one thread as long as nothing of it is unmapped
// or protected: a thread whose coroutines have stacks of their own must drop it when one goes.
struct unwind_window {
  uint64_t low;
  uint64_t high;
};

struct unwind_result {
  uint64_t hash; // of all frames and the ending
  enum unwind_ending ending;
};

enum { UNWIND_TRAIL = 512 };

// The last walk of a thread that walks again and again, all zeros at first. Most of a stack is what
// it was when the thread allocated before: frames that begin where they began are compared with
// the stack's words, which is quicker than walking, and as certain.
struct unwind_trail {
  struct unwind_window readable;
  uint32_t generation; // of the cache
  uint32_t first;      // frames are [first, UNWIND_TRAIL), leaf first; none when it is UNWIND_TRAIL
  uint32_t firm;       // frames before this one may not be compared
  uint32_t kept;       // frames that the last walk found unchanged
  bool is_set;
  enum unwind_ending ending;
  uint64_t pc[UNWIND_TRAIL];
  uint64_t rsp[UNWIND_TRAIL];
  uint64_t rbp[UNWIND_TRAIL];
  const uint64_t *saved[UNWIND_TRAIL]; // where the caller's rbp was read
  uint64_t hash[UNWIND_TRAIL];         // of this frame and all after it
  struct unwind_frame fresh[UNWIND_TRAIL];
  const uint64_t *fresh_saved[UNWIND_TRAIL];
};

// Walks from the frame of pc, rsp and rbp (which as one value would be passed through memory), and
// returns the number of frames: their pcs are at `trail->pc[trail->first]`, leaf first. Those with
// UNWIND_EXACT were interrupted by a signal, all others are return addresses. Of a stack with more
// than UNWIND_TRAIL frames the innermost are kept.
unsigned unwind_walk(struct unwind_cache *cache, struct unwind_trail *trail,
                     struct unwind_result *result, uint64_t pc, uint64_t rsp, uint64_t rbp);

// Makes the cache forget all rows. To be called after an object was unloaded.
static inline void unwind_forget(struct unwind_cache *cache) {
  __atomic_fetch_add(&cache->generation, 1, __ATOMIC_RELAXED);
}

#endif
