// forks [SECONDS]: four children at once burn SECONDS (default 1) each in child_work and leave by
// _exit, then the parent burns as much in parent_work.
//
// Answer: five processes of equal weight; no child has parent_work, the parent has no child_work.
// Prints `child CPUSECONDS` four times and `parent CPUSECONDS`.
#include "burn.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) uint64_t child_work(double seconds) { return burn_seconds(seconds); }
__attribute__((noinline)) uint64_t parent_work(double seconds) { return burn_seconds(seconds) + 1; }

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  volatile uint64_t sink;
  for (int i = 0; i < 4; i++) {
    pid_t pid = fork();
    if (pid < 0) {
      return 1;
    }
    if (pid == 0) {
      sink = child_work(seconds);
      dprintf(1, "child %.4f\n", process_seconds());
      _exit(0);
    }
  }
  int failed = 0;
  for (int i = 0; i < 4; i++) {
    int status;
    failed |= wait(&status) < 0 || status != 0;
  }
  sink = parent_work(seconds);
  (void)sink;
  dprintf(1, "parent %.4f\n", process_seconds());
  return failed;
}
