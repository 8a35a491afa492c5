// blocked [SECONDS]: burns SECONDS (default 0.4) in blocked_work with every signal blocked, then
// as long in open_work with none blocked, ten times.
//
// Answer: half of the CPU time is in each by the thread's clock. A profiler's signal that is
// blocked comes when blocked_work is over, and its weight must not go to open_work. Prints `blocked
// CPUSECONDS` and `open CPUSECONDS`.
#include "burn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

__attribute__((noinline)) uint64_t blocked_work(double seconds) { return burn_seconds(seconds); }
__attribute__((noinline)) uint64_t open_work(double seconds) { return burn_seconds(seconds) + 1; }

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 0.4;
  double blocked = 0;
  double open = 0;
  volatile uint64_t sink;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (int round = 0; round < 10; round++) {
    double start = thread_seconds();
    sigprocmask(SIG_BLOCK, &all, &before);
    sink = blocked_work(seconds);
    sigprocmask(SIG_SETMASK, &before, NULL);
    double middle = thread_seconds();
    sink = open_work(seconds);
    (void)sink;
    blocked += middle - start;
    open += thread_seconds() - middle;
  }
  printf("blocked %.4f\nopen %.4f\n", blocked, open);
  return 0;
}
