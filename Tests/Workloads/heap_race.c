// heap_race [ROUNDS]: four threads, each of which reallocates ROUNDS (default 125,000) times one of
// its 16 blocks, to sizes that let them move: with the default 10^6 events, a free and an
// allocation for each. As one thread's block moves away another's may come to its address.
//
// Answer: race_block 4×(16+ROUNDS) blocks (printed with their bytes), as many freed. An allocation
// at an address that is taken, or a free of one that is not, was recorded in the wrong order.
#include "heap.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_long bytes;
static pthread_barrier_t start;
static long rounds;

site static void *race_block(void *old, size_t size) { return keep(realloc(old, size)); }

static void *race(void *seed) {
  uint64_t state = *(uint64_t *)seed;
  void *blocks[16] = {0};
  long sum = 0;
  pthread_barrier_wait(&start);
  for (long i = 0; i < 16 + rounds; i++) {
    state = state * 6364136223846793005 + 1442695040888963407;
    size_t size = 1100 + (state >> 33) % 3000; // more than a thread's own cache takes
    int which = i < 16 ? (int)i : (int)(state >> 60);
    blocks[which] = race_block(blocks[which], size);
    sum += (long)size;
  }
  for (int i = 0; i < 16; i++) {
    free(blocks[i]);
  }
  bytes += sum;
  return NULL;
}

int main(int argc, char **argv) {
  rounds = argc > 1 ? atol(argv[1]) : 125000;
  mallopt(M_ARENA_MAX, 1); // else each thread has addresses of its own
  pthread_barrier_init(&start, NULL, 4);
  uint64_t seeds[] = {1, 2, 3, 4};
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) {
    require(pthread_create(&threads[i], NULL, race, &seeds[i]) == 0);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
  }
  say("race_block %ld %ld\n", 4 * (16 + rounds), (long)bytes);
  return 0;
}
