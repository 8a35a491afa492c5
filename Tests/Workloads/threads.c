// threads N SECONDS: N threads do the same fixed number of steps in registers, about SECONDS of
// CPU time each. Each is named worker-0 … worker-(N-1).
//
// Answer: every thread has the same weight. Prints `worker-I CPUSECONDS` for each, then
// `total CPUSECONDS` of the process.
#define _GNU_SOURCE
#include "burn.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct worker {
  pthread_t thread;
  char name[16];
  uint64_t steps;
  uint64_t result;
  double seconds;
};

__attribute__((noinline)) uint64_t work(uint64_t steps) { return burn(steps, 1); }

static void *run(void *argument) {
  struct worker *self = argument;
  pthread_setname_np(pthread_self(), self->name);
  self->result = work(self->steps);
  self->seconds = thread_seconds();
  return NULL;
}

static double steps_per_second(void) {
  double start = thread_seconds();
  volatile uint64_t sink = work(20000000);
  (void)sink;
  return 20000000 / (thread_seconds() - start);
}

int main(int argc, char **argv) {
  int count = argc == 3 ? atoi(argv[1]) : 0;
  if (count < 1 || count > 9999) {
    fprintf(stderr, "usage: threads N SECONDS, N at most 9999\n");
    return 64;
  }
  uint64_t steps = (uint64_t)(steps_per_second() * atof(argv[2]));
  struct worker *workers = calloc((size_t)count, sizeof *workers);
  if (workers == NULL) {
    return 1;
  }
  for (int i = 0; i < count; i++) {
    workers[i].steps = steps;
    snprintf(workers[i].name, sizeof workers[i].name, "worker-%d", i);
    if (pthread_create(&workers[i].thread, NULL, run, &workers[i]) != 0) {
      return 1;
    }
  }
  for (int i = 0; i < count; i++) {
    pthread_join(workers[i].thread, NULL);
    printf("%s %.4f\n", workers[i].name, workers[i].seconds);
  }
  printf("total %.4f\n", process_seconds());
  free(workers);
  return 0;
}
