// exits HOW: burns 0.2 s of CPU time in last_work, writes one line to each stream, and ends:
//   N          by exit(N)            _N         by _exit(N)
//   signal N   killed by signal N    abort      by abort()
// `signal N SECONDS` burns SECONDS instead of 0.2.
//
// Answer: what the shell sees of it is the same with and without a profiler, and so are the
// streams: `out` on standard output, `err` on standard error.
#define _GNU_SOURCE
#include "burn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

__attribute__((noinline)) uint64_t last_work(double seconds) { return burn_seconds(seconds); }

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: exits N|_N|abort|signal N [SECONDS]\n");
    return 64;
  }
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  volatile uint64_t sink = last_work(argc > 3 ? atof(argv[3]) : 0.2);
  (void)sink;
  printf("out\n");
  fprintf(stderr, "err\n");
  fflush(stdout);
  if (strcmp(argv[1], "abort") == 0) {
    abort();
  }
  if (strcmp(argv[1], "signal") == 0 && argc > 2) {
    raise(atoi(argv[2]));
    return 70; // the signal did not end us
  }
  if (argv[1][0] == '_') {
    _exit(atoi(argv[1] + 1));
  }
  exit(atoi(argv[1]));
}
