// sigwait [SECONDS]: one thread blocks every signal and takes them by sigwait, as servers do; two
// others burn SECONDS (default 2) each in busy_work with every signal but SIGPROF and the like
// open.
//
// Answer: prints `received 1`: the waiting thread gets the one SIGTERM that is sent, and nothing of
// a profiler's. The two busy threads have the same weight.
#define _GNU_SOURCE
#include "burn.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static double seconds;
static volatile int received;

static void *wait_for_signals(void *unused) {
  sigset_t all;
  sigfillset(&all);
  int signal = 0;
  do {
    if (sigwait(&all, &signal) == 0) {
      received++;
    }
  } while (signal != SIGTERM);
  return unused;
}

__attribute__((noinline)) uint64_t busy_work(double length) { return burn_seconds(length); }

static void *busy(void *unused) {
  sigset_t none;
  sigset_t term;
  sigemptyset(&none);
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  pthread_sigmask(SIG_BLOCK, &term, NULL);
  volatile uint64_t sink = busy_work(seconds);
  (void)sink;
  return unused;
}

int main(int argc, char **argv) {
  seconds = argc > 1 ? atof(argv[1]) : 2;
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  pthread_t waiter;
  pthread_t workers[2];
  if (pthread_create(&waiter, NULL, wait_for_signals, NULL) != 0) {
    return 1;
  }
  for (int i = 0; i < 2; i++) {
    if (pthread_create(&workers[i], NULL, busy, NULL) != 0) {
      return 1;
    }
  }
  for (int i = 0; i < 2; i++) {
    pthread_join(workers[i], NULL);
  }
  kill(getpid(), SIGTERM);
  pthread_join(waiter, NULL);
  printf("received %d\n", received);
  return received != 1;
}
