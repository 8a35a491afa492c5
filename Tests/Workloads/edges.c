// edges vdso|plt|prologue [SECONDS]: SECONDS (default 2) of CPU time at places where an unwinder
// easily goes wrong:
//   vdso      in clock_gettime, code of the kernel's that is in no file
//   plt       in calls of plugin_step (plugin.c) through the procedure linkage table
//   prologue  in calls of a function so small that most samples hit its first or last instructions
//
// Answer: nearly all weight is below `around`, which main calls, on complete stacks.
#include "burn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t plugin_step(uint64_t x);

__attribute__((noinline)) uint64_t tiny(uint64_t x, volatile uint64_t *out) {
  *out = x;
  return x * 3 + 1;
}

// Saves six registers and restores them, around nothing much.
__attribute__((noinline)) uint64_t saver(uint64_t x, volatile uint64_t *out) {
  __asm__ volatile("" : : : "rbx", "rbp", "r12", "r13", "r14", "r15");
  return tiny(x, out);
}

static uint64_t round_of(const char *mode, uint64_t x) {
  volatile uint64_t out;
  for (int i = 0; i < 10000; i++) {
    switch (mode[0]) {
    case 'v':
      x += (uint64_t)thread_seconds() + (uint64_t)seconds_on(CLOCK_MONOTONIC);
      break;
    case 'p':
      x = mode[1] == 'l' ? plugin_step(x) : saver(x, &out);
      break;
    default:
      abort();
    }
  }
  return x;
}

__attribute__((noinline)) uint64_t around(const char *mode, double seconds) {
  uint64_t x = 1;
  double end = thread_seconds() + seconds;
  while (thread_seconds() < end) {
    x = round_of(mode, x);
  }
  return x;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  if (strcmp(mode, "vdso") != 0 && strcmp(mode, "plt") != 0 && strcmp(mode, "prologue") != 0) {
    fprintf(stderr, "usage: edges vdso|plt|prologue [SECONDS]\n");
    return 64;
  }
  volatile uint64_t sink = around(mode, argc > 2 ? atof(argv[2]) : 2);
  (void)sink;
  printf("cpu %.4f\n", thread_seconds());
  return 0;
}
