// Walks real stacks of this process by rows, and by the C library's own unwinder beside them.

#ifndef UNWIND_PROBE_H
#define UNWIND_PROBE_H

#include <unwind_walk.h>

enum { probe_capacity = UNWIND_TRAIL };

// Entries are a power of two, at least 4.
struct unwind_cache *probe_make_cache(uint32_t entries);
void probe_free_cache(struct unwind_cache *cache);

struct probe_walk {
  struct unwind_cache *cache;
  struct unwind_trail trail;
  struct unwind_result result;
  unsigned count;
  uint64_t frames[probe_capacity];
  // What backtrace() finds for the same call, of which it is asked for so many frames at most.
  unsigned expected_limit;
  unsigned expected_count;
  uint64_t expected[probe_capacity];
};

struct probe_walk *probe_make_walk(struct unwind_cache *cache);
void probe_free_walk(struct probe_walk *walk);

// Each fills in `argument`, a struct probe_walk, from a stack of its own kind.
void probe_here(void *argument);
void probe_below(unsigned depth, void *argument);
void probe_in_callback(void *argument); // called by qsort of the C library
void probe_in_handler(bool on_alternate_stack, void *argument);
void probe_in_coroutine(void *argument);
// Starts from registers that are not those of a frame.
void probe_from(uint64_t pc, uint64_t rsp, uint64_t rbp, struct probe_walk *walk);

// Walks while calls come and go at random.
struct probe_wander {
  struct probe_walk *walk; // of the first that was different
  uint64_t state;          // of the generator; not zero
  unsigned calls;
  unsigned different;
  unsigned kept; // frames that were not walked again
};
void probe_wander_about(struct probe_wander *wander);

// What an object loaded with dlopen calls back, and a way to call its function named `function`,
// which gets probe_here and the walk.
void *probe_open(const char *path);
void *probe_symbol(void *object, const char *name);
void probe_through(void *object, const char *function, struct probe_walk *walk);
void probe_close(void *object);

struct probe_steps {
  unsigned steps;
  unsigned complete;
  unsigned unsupported; // ended by a row that rows cannot express; a prefix of what was expected
  unsigned in_linkage;  // steps whose pc lay in `linkage`
  unsigned different;
  // The first different one.
  struct probe_walk *walk;
};

// Runs the function of `object` instruction by instruction, and compares both walks at each.
// Instructions in [linkage_start, linkage_end) are counted.
void probe_every_step(void *object, const char *function, uint64_t linkage_start,
                      uint64_t linkage_end, struct unwind_cache *cache, struct probe_steps *steps);

#endif
