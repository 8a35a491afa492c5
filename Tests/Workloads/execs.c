// execs [COUNT] [SECONDS]: burns SECONDS (default 0.5) in image_work, then executes itself with
// COUNT (default 3) lowered by one, until that is 0.
//
// Answer: one pid, COUNT + 1 images of equal weight, all in image_work. Prints the pid and
// `image COUNT` from each.
#include "burn.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) uint64_t image_work(double seconds) { return burn_seconds(seconds); }

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 3;
  const char *seconds = argc > 2 ? argv[2] : "0.5";
  volatile uint64_t sink = image_work(atof(seconds));
  (void)sink;
  printf("%d image %d\n", (int)getpid(), count);
  fflush(stdout);
  if (count <= 0) {
    return 0;
  }
  char next[16];
  snprintf(next, sizeof next, "%d", count - 1);
  execl("/proc/self/exe", argv[0], next, seconds, (char *)NULL);
  perror("execl");
  return 1;
}
