// busythreads THREADS STEPS: each thread does STEPS million steps of integer work in registers.
// Unlike Tests/Workloads/threads.c it does the same work in every run, whatever the speed.
#include "../Tests/Workloads/burn.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void *run(void *steps) {
  volatile uint64_t sink = burn(*(uint64_t *)steps, 1);
  (void)sink;
  return NULL;
}

int main(int argc, char **argv) {
  int count = argc == 3 ? atoi(argv[1]) : 0;
  if (count < 1 || count > 64) {
    fprintf(stderr, "usage: busythreads THREADS STEPS, THREADS at most 64\n");
    return 64;
  }
  uint64_t steps = strtoull(argv[2], NULL, 10) * 1000000;
  pthread_t threads[64];
  for (int i = 0; i < count; i++) {
    if (pthread_create(&threads[i], NULL, run, &steps) != 0) {
      return 1;
    }
  }
  for (int i = 0; i < count; i++) {
    pthread_join(threads[i], NULL);
  }
  return 0;
}
