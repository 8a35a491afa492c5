// altstack [KILOBYTES] [SECONDS]: raises SIGUSR1 from `raiser`, whose handler runs on an alternate
// stack of KILOBYTES (default 64) and burns SECONDS (default 2) in handler_work.
//
// Answer: nearly all weight is in handler_work, on stacks that go on from the handler through the
// signal frame to raiser and main on the other stack.
#define _GNU_SOURCE
#include "burn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static double seconds;
static volatile uint64_t sink;

__attribute__((noinline)) uint64_t handler_work(double length) { return burn_seconds(length); }

static void handler(int signal) {
  (void)signal;
  sink = handler_work(seconds);
}

__attribute__((noinline)) int raiser(void) {
  int failed = raise(SIGUSR1);
  __asm__ volatile("" : "+r"(failed)); // a call in tail position would leave no frame
  return failed;
}

int main(int argc, char **argv) {
  size_t size = 1024 * (size_t)(argc > 1 ? atoi(argv[1]) : 64);
  seconds = argc > 2 ? atof(argv[2]) : 2;
  stack_t stack = {.ss_sp = malloc(size), .ss_size = size};
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
  if (stack.ss_sp == NULL || sigaltstack(&stack, NULL) != 0 ||
      sigaction(SIGUSR1, &action, NULL) != 0) {
    perror("altstack");
    return 1;
  }
  int failed = raiser();
  printf("cpu %.4f\n", thread_seconds());
  return failed;
}
