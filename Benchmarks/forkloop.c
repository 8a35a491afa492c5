// forkloop COUNT: forks COUNT children one after the other, each of which ends at once, and prints
// wall seconds and CPU seconds (its own and the children's) for all of them.
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double wall_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void) {
  double sum = 0;
  int which[] = {RUSAGE_SELF, RUSAGE_CHILDREN};
  for (int i = 0; i < 2; i++) {
    struct rusage usage;
    getrusage(which[i], &usage);
    sum += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  }
  return sum;
}

int main(int argc, char **argv) {
  int count = argc == 2 ? atoi(argv[1]) : 0;
  if (count < 1) {
    fprintf(stderr, "usage: forkloop COUNT\n");
    return 64;
  }
  double wall = wall_seconds();
  double cpu = cpu_seconds();
  for (int i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) {
      _exit(0);
    }
    if (child < 0 || waitpid(child, NULL, 0) != child) {
      perror("forkloop");
      return 1;
    }
  }
  printf("%.6f %.6f\n", wall_seconds() - wall, cpu_seconds() - cpu);
  return 0;
}
