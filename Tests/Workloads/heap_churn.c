// heap_churn [THREADS]: starts THREADS threads (default 2,000), eight at a time, each of which
// allocates five blocks of 70 bytes in churn_block and frees four of them.
//
// Answer: `threads N`, and churn_block with 5 N allocations and 4 N frees, none temporary, for any
// number of threads over time.
#include "heap.h"

#include <pthread.h>

site static void *churn_block(void) { return keep(malloc(70)); }

static void *run(void *unused) {
  void *blocks[5];
  for (int i = 0; i < 5; i++) {
    blocks[i] = churn_block();
  }
  for (int i = 0; i < 4; i++) {
    free(blocks[i]);
  }
  return unused;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 2000;
  for (int done = 0; done < count; done += 8) {
    pthread_t threads[8];
    for (int i = 0; i < 8 && done + i < count; i++) {
      require(pthread_create(&threads[i], NULL, run, NULL) == 0);
    }
    for (int i = 0; i < 8 && done + i < count; i++) {
      pthread_join(threads[i], NULL);
    }
  }
  say("threads %d\n", count);
  say("churn_block %d %d %d %d 0 0\n", 5 * count, 350 * count, 4 * count, 280 * count);
  return 0;
}
