// daemon [SECONDS]: becomes a daemon by two forks that close every descriptor, and burns SECONDS
// (default 1) in daemon_work after both parents are gone.
//
// Answer: the grandchild's weight is all in daemon_work and is not lost, though nobody waits for it
// and none of its descriptors is open. The command itself exits 0 at once.
#define _GNU_SOURCE
#include "burn.h"

#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) uint64_t daemon_work(double seconds) { return burn_seconds(seconds); }

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  pid_t pid = fork();
  if (pid != 0) {
    return pid < 0;
  }
  setsid();
  pid = fork();
  if (pid != 0) {
    _exit(pid < 0);
  }
  for (int descriptor = 0; descriptor < 1024; descriptor++) {
    close(descriptor);
  }
  volatile uint64_t sink = daemon_work(seconds);
  (void)sink;
  _exit(0);
}
