// churn COUNT MS [ATONCE]: COUNT threads, each burning MS milliseconds of CPU time and ending;
// ATONCE of them alive at a time (default 4).
//
// Answer: prints `threads CPUSECONDS`, what all threads used by their own clocks from their first
// instruction, and `total CPUSECONDS` of the process, which adds creating and ending them.
#include "burn.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static double milliseconds;

static void *run(void *seconds) {
  volatile uint64_t sink = burn_seconds(milliseconds / 1000);
  (void)sink;
  *(double *)seconds = thread_seconds();
  return NULL;
}

int main(int argc, char **argv) {
  int count = argc > 2 ? atoi(argv[1]) : 0;
  int at_once = argc > 3 ? atoi(argv[3]) : 4;
  if (count < 1 || at_once < 1 || at_once > 64) {
    fprintf(stderr, "usage: churn COUNT MS [ATONCE], ATONCE at most 64\n");
    return 64;
  }
  milliseconds = atof(argv[2]);
  double used = 0;
  for (int done = 0; done < count; done += at_once) {
    pthread_t threads[64];
    double seconds[64] = {0};
    int batch = count - done < at_once ? count - done : at_once;
    for (int i = 0; i < batch; i++) {
      if (pthread_create(&threads[i], NULL, run, &seconds[i]) != 0) {
        return 1;
      }
    }
    for (int i = 0; i < batch; i++) {
      pthread_join(threads[i], NULL);
      used += seconds[i];
    }
  }
  printf("threads %.4f\ntotal %.4f\n", used, process_seconds());
  return 0;
}
