// coroutine [KILOBYTES] [SECONDS]: two coroutines of makecontext on heap stacks of KILOBYTES
// (default 64) take turns, 100 times each, and burn SECONDS (default 2) in all.
//
// Answer: ping and pong have half of the weight each; their stacks begin in a coroutine's entry
// function, called by glibc's __start_context, and are complete.
#include "burn.h"

#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

enum { turns = 100 };

static ucontext_t main_context, contexts[2];
static double slice;
static volatile uint64_t sink;

__attribute__((noinline)) uint64_t ping(double seconds) { return burn_seconds(seconds); }
__attribute__((noinline)) uint64_t pong(double seconds) { return burn_seconds(seconds) + 1; }

static void ping_entry(void) {
  for (int i = 0; i < turns; i++) {
    sink = ping(slice);
    swapcontext(&contexts[0], &contexts[1]);
  }
}

static void pong_entry(void) {
  for (int i = 0; i < turns; i++) {
    sink = pong(slice);
    swapcontext(&contexts[1], &contexts[0]);
  }
}

int main(int argc, char **argv) {
  size_t size = 1024 * (size_t)(argc > 1 ? atoi(argv[1]) : 64);
  slice = (argc > 2 ? atof(argv[2]) : 2) / (2 * turns);
  void (*entries[2])(void) = {ping_entry, pong_entry};
  for (int i = 0; i < 2; i++) {
    getcontext(&contexts[i]);
    contexts[i].uc_stack.ss_sp = malloc(size);
    contexts[i].uc_stack.ss_size = size;
    contexts[i].uc_link = &main_context;
    if (contexts[i].uc_stack.ss_sp == NULL) {
      return 1;
    }
    makecontext(&contexts[i], entries[i], 0);
  }
  swapcontext(&main_context, &contexts[0]);
  printf("cpu %.4f\n", thread_seconds());
  return 0;
}
