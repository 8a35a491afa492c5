// CPU time to burn, and a clock to know how much: shared by all workloads.
#ifndef BURN_H
#define BURN_H

#include <stdint.h>
#include <time.h>

// Integer work in registers: no call, no memory, and a result that depends on every step.
static inline __attribute__((always_inline)) uint64_t burn(uint64_t steps, uint64_t seed) {
  uint64_t x = seed | 1;
  for (uint64_t i = 0; i < steps; i++) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    __asm__ volatile("" : "+r"(x));
  }
  return x;
}

static inline double seconds_on(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline double thread_seconds(void) { return seconds_on(CLOCK_THREAD_CPUTIME_ID); }

static inline double process_seconds(void) { return seconds_on(CLOCK_PROCESS_CPUTIME_ID); }

// Burns until the calling thread has used `seconds` more of CPU time.
static inline __attribute__((always_inline)) uint64_t burn_seconds(double seconds) {
  double end = thread_seconds() + seconds;
  uint64_t x = 1;
  while (thread_seconds() < end) {
    x = burn(50000, x);
  }
  return x;
}

#endif
