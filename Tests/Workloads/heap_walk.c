// heap_walk [SECONDS]: for SECONDS (default 10) one thread walks the list of loaded objects over
// and over, allocating in each callback under the loader's lock, and three threads allocate and
// free, one of them ten frames deep.
//
// Answer: exits 0 and prints `walked N` with N above 0 and `walked_block N`, `beside_block N`: the
// blocks of 24 bytes that these functions allocated; all are freed. An allocation tracker that
// takes the loader's lock to find a caller deadlocks here.
#define _GNU_SOURCE
#include "heap.h"

#include <link.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_bool stop;
static atomic_long walks, walked, beside;

site static void *walked_block(void) { return keep(malloc(24)); }
site static void *beside_block(int depth) {
  return keep(depth > 0 ? beside_block(depth - 1) : malloc(24));
}

static int allocate(struct dl_phdr_info *info, size_t size, void *count) {
  (void)info, (void)size;
  free(walked_block());
  ++*(long *)count;
  return 0;
}

static void *walk(void *unused) {
  long count = 0;
  while (!stop) {
    dl_iterate_phdr(allocate, &count);
    if (++walks % 1000 == 0) {
      usleep(100); // nobody is to be starved of a processor
    }
  }
  walked += count;
  return unused;
}

static void *work(void *depth) {
  long count = 0;
  for (; !stop; count += 2) {
    void *a = beside_block(*(int *)depth);
    void *b = beside_block(*(int *)depth);
    free(a);
    free(b);
    if (count % 2000 == 0) {
      usleep(100);
    }
  }
  beside += count;
  return NULL;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 10;
  pthread_t threads[4];
  int depths[] = {0, 0, 10};
  require(pthread_create(&threads[3], NULL, walk, NULL) == 0);
  for (int i = 0; i < 3; i++) {
    require(pthread_create(&threads[i], NULL, work, &depths[i]) == 0);
  }
  usleep((useconds_t)(seconds * 1e6));
  stop = 1;
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
  }
  say("walked %ld\n", (long)walks);
  say("walked_block %ld\n", (long)walked);
  say("beside_block %ld\n", (long)beside);
  return walks > 0 ? 0 : 1;
}
