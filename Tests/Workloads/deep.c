// deep DEPTH [SECONDS] [BYTES]: recursion to DEPTH frames of at least BYTES bytes (default 16),
// and SECONDS (default 2) of CPU time burnt at the bottom.
//
// Answer: nearly all weight is in `bottom`, called through DEPTH frames named `descend` from main.
// A stack of more than 64 KB is beyond the copy's cap and must be reported as capped.
#include "burn.h"

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) uint64_t bottom(double seconds) { return burn_seconds(seconds); }

__attribute__((noinline)) uint64_t descend(int depth, double seconds, size_t bytes) {
  volatile char *room = alloca(bytes);
  room[0] = (char)depth;
  uint64_t result = depth > 1 ? descend(depth - 1, seconds, bytes) : bottom(seconds);
  return result + (uint64_t)room[0];
}

int main(int argc, char **argv) {
  int depth = argc > 1 ? atoi(argv[1]) : 0;
  double seconds = argc > 2 ? atof(argv[2]) : 2;
  size_t bytes = argc > 3 ? (size_t)atol(argv[3]) : 16;
  if (depth < 1 || bytes < 1) {
    fprintf(stderr, "usage: deep DEPTH [SECONDS] [BYTES]\n");
    return 64;
  }
  volatile uint64_t sink = descend(depth, seconds, bytes);
  (void)sink;
  printf("depth %d cpu %.4f\n", depth, thread_seconds());
  return 0;
}
