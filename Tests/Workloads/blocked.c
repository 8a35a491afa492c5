// blocked [SECONDS] [raw]: burns SECONDS (default 0.4) in blocked_work with every signal blocked,
// then as long in open_work with none blocked, ten times. The mask is set through the C library,
// or with `raw` by the system call itself, which no preloaded library can see.
//
// Answer: half of the CPU time is in each by the thread's clock. Ticks that are really blocked
// arrive all at once where the signals are unblocked, so they must be told apart from open_work's
// own. Prints `blocked CPUSECONDS` and `open CPUSECONDS`.
#define _GNU_SOURCE
#include "burn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) uint64_t blocked_work(double seconds) { return burn_seconds(seconds); }
__attribute__((noinline)) uint64_t open_work(double seconds) { return burn_seconds(seconds) + 1; }

static void set_mask(int raw, const sigset_t *mask, sigset_t *before) {
  if (raw) {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, mask, before, 8); // 8: what the kernel's mask takes
  } else {
    sigprocmask(SIG_SETMASK, mask, before);
  }
}

int main(int argc, char **argv) {
  int raw = argc > 2;
  double seconds = argc > 1 ? atof(argv[1]) : 0.4;
  double blocked = 0;
  double open = 0;
  volatile uint64_t sink;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  for (int round = 0; round < 10; round++) {
    double start = thread_seconds();
    set_mask(raw, &all, &before);
    sink = blocked_work(seconds);
    set_mask(raw, &before, NULL);
    double middle = thread_seconds();
    sink = open_work(seconds);
    (void)sink;
    blocked += middle - start;
    open += thread_seconds() - middle;
  }
  printf("blocked %.4f\nopen %.4f\n", blocked, open);
  return 0;
}
