// ownhandler [SECONDS]: profiles itself, with a SIGPROF handler of its own driven by
// setitimer(ITIMER_PROF) every 10 ms, while burning SECONDS (default 2) in own_work.
//
// Answer: prints `ticks N`, with N near 100 a second, with or without a profiler: taking the signal
// away from the program would change what it prints.
#define _GNU_SOURCE
#include "burn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;

static void count(int signal) {
  (void)signal;
  ticks++;
}

__attribute__((noinline)) uint64_t own_work(double seconds) { return burn_seconds(seconds); }

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 2;
  struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
  struct itimerval timer = {{0, 10000}, {0, 10000}};
  if (sigaction(SIGPROF, &action, NULL) != 0 || setitimer(ITIMER_PROF, &timer, NULL) != 0) {
    perror("ownhandler");
    return 1;
  }
  volatile uint64_t sink = own_work(seconds);
  (void)sink;
  printf("ticks %d\n", (int)ticks);
  return 0;
}
