// closefds [SECONDS]: closes descriptors 3 to 1023 at once, burns SECONDS (default 1) in
// after_close, then forks a child that does the same in forked_work.
//
// Answer: two processes of equal weight, one per function. A profiler that keeps a descriptor in
// the program loses it here, and must then neither write to nor close a file of the program's:
// the program opens a file as descriptor 3 and checks that it stays empty and open.
#define _GNU_SOURCE
#include "burn.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

__attribute__((noinline)) uint64_t after_close(double seconds) { return burn_seconds(seconds); }
__attribute__((noinline)) uint64_t forked_work(double seconds) { return burn_seconds(seconds) + 1; }

static int is_empty(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && status.st_size == 0 &&
         lseek(descriptor, 0, SEEK_CUR) == 0;
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  for (int descriptor = 3; descriptor < 1024; descriptor++) {
    close(descriptor);
  }
  int mine = memfd_create("closefds", 0);
  volatile uint64_t sink = after_close(seconds);
  pid_t pid = fork();
  if (mine != 3 || pid < 0) {
    return 1;
  }
  if (pid == 0) {
    sink = forked_work(seconds);
    (void)sink;
    _exit(is_empty(mine) ? 0 : 2);
  }
  int status;
  waitpid(pid, &status, 0);
  printf("parent %s child %d\n", is_empty(mine) ? "unharmed" : "harmed", WEXITSTATUS(status));
  return status != 0 || !is_empty(mine);
}
