// split [SECONDS]: one thread spends its CPU time on four functions, 10, 20, 30 and 40 parts of
// 100, in 50 rounds. Default 8 seconds.
//
// Answer: printed as `name share` lines, shares in percent, measured by the thread's own CPU clock
// around every call. ten, twenty, thirty and forty each hold the same loop and call nothing, so
// their self weight is their whole weight. What is missing to 100 is calibrate's.
#include "burn.h"

#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) uint64_t ten(uint64_t unit) { return burn(unit * 10, 1); }
__attribute__((noinline)) uint64_t twenty(uint64_t unit) { return burn(unit * 20, 2); }
__attribute__((noinline)) uint64_t thirty(uint64_t unit) { return burn(unit * 30, 3); }
__attribute__((noinline)) uint64_t forty(uint64_t unit) { return burn(unit * 40, 4); }

struct phase {
  const char *name;
  uint64_t (*run)(uint64_t);
  double seconds;
};

// Steps per second of CPU time, from a short run of the same loop.
__attribute__((noinline)) static double calibrate(void) {
  const uint64_t steps = 20000000;
  double start = thread_seconds();
  volatile uint64_t sink = burn(steps, 5);
  (void)sink;
  return (double)steps / (thread_seconds() - start);
}

int main(int argc, char **argv) {
  const int rounds = 50;
  double seconds = argc > 1 ? atof(argv[1]) : 8;
  struct phase phases[] = {
      {"ten", ten, 0}, {"twenty", twenty, 0}, {"thirty", thirty, 0}, {"forty", forty, 0}};
  uint64_t unit = (uint64_t)(calibrate() * seconds / rounds / 100);
  volatile uint64_t sink = 0;
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < 4; i++) {
      double start = thread_seconds();
      sink ^= phases[i].run(unit);
      phases[i].seconds += thread_seconds() - start;
    }
  }
  double total = thread_seconds();
  for (int i = 0; i < 4; i++) {
    printf("%s %.3f\n", phases[i].name, 100 * phases[i].seconds / total);
  }
  return 0;
}
