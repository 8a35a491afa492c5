// heap_coroutine: two coroutines of makecontext, on stacks from mmap, take turns 1,000 times each;
// in each turn one allocates a block and frees that of the turn before.
//
// Answer (see heap_script.c): ping_block 1000 64000 999 63936, pong_block 1000 128000 999 127872;
// their stacks begin in ping_entry and pong_entry.
#define _GNU_SOURCE
#include "heap.h"

#include <sys/mman.h>
#include <ucontext.h>

enum { turns = 1000, stack_size = 64 << 10 };

static ucontext_t main_context, contexts[2];

site static void *ping_block(void) { return keep(malloc(64)); }
site static void *pong_block(void) { return keep(malloc(128)); }

static void ping_entry(void) {
  void *last = NULL;
  for (int i = 0; i < turns; i++) {
    void *block = ping_block();
    free(last);
    last = block;
    swapcontext(&contexts[0], &contexts[1]);
  }
}

static void pong_entry(void) {
  void *last = NULL;
  for (int i = 0; i < turns; i++) {
    void *block = pong_block();
    free(last);
    last = block;
    swapcontext(&contexts[1], &contexts[0]);
  }
}

int main(void) {
  void (*entries[2])(void) = {ping_entry, pong_entry};
  for (int i = 0; i < 2; i++) {
    getcontext(&contexts[i]);
    contexts[i].uc_stack.ss_sp = mmap(NULL, stack_size, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    require(contexts[i].uc_stack.ss_sp != MAP_FAILED);
    contexts[i].uc_stack.ss_size = stack_size;
    contexts[i].uc_link = &main_context;
    makecontext(&contexts[i], entries[i], 0);
  }
  swapcontext(&main_context, &contexts[0]);
  say("ping_block 1000 64000 999 63936 0 0\n");
  say("pong_block 1000 128000 999 127872 0 0\n");
  return 0;
}
