// heap_gate: 10,000 iterations, each of which makes ten blocks and frees them. Built twice: in
// heap_gate-more one line has been added, an allocation in each iteration.
//
// Answer: 100,000 allocations in iterate, and in heap_gate-more 10,000 more by extra_block.
#include "heap.h"

site void extra_block(void) { free(keep(malloc(24))); }

site static void iterate(void) {
  void *blocks[10];
  for (int i = 0; i < 10; i++) {
    blocks[i] = keep(malloc(16));
  }
#ifdef MORE
  extra_block();
#endif
  for (int i = 0; i < 10; i++) {
    free(blocks[i]);
  }
}

int main(void) {
  for (int i = 0; i < 10000; i++) {
    iterate();
  }
  return 0;
}
