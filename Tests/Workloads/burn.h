// CPU time to burn, and a clock to know how much: shared by all workloads.
//
// Macros, not inline functions: those would be frames of their own in every stack, and it is their
// callers that the answers are about.
#ifndef BURN_H
#define BURN_H

#include <stdint.h>
#include <time.h>

// Integer work in registers: no call, no memory, and a result that depends on every step.
#define burn(steps, seed)                                                                          \
  ({                                                                                               \
    uint64_t burn_x = (seed) | 1;                                                                  \
    for (uint64_t burn_left = (steps); burn_left > 0; burn_left--) {                               \
      burn_x ^= burn_x << 13;                                                                      \
      burn_x ^= burn_x >> 7;                                                                       \
      burn_x ^= burn_x << 17;                                                                      \
      __asm__ volatile("" : "+r"(burn_x));                                                         \
    }                                                                                              \
    burn_x;                                                                                        \
  })

// Burns until the calling thread has used `seconds` more of CPU time.
#define burn_seconds(seconds)                                                                      \
  ({                                                                                               \
    double burn_end = thread_seconds() + (seconds);                                                \
    uint64_t burn_result = 1;                                                                      \
    while (thread_seconds() < burn_end) {                                                          \
      burn_result = burn(50000, burn_result);                                                      \
    }                                                                                              \
    burn_result;                                                                                   \
  })

static inline double seconds_on(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline double thread_seconds(void) { return seconds_on(CLOCK_THREAD_CPUTIME_ID); }

static inline double process_seconds(void) { return seconds_on(CLOCK_PROCESS_CPUTIME_ID); }

#endif
