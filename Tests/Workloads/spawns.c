// spawns [SECONDS]: starts itself four times, one after the other, by fork, vfork, posix_spawn and
// system, each time as another program name. The child burns SECONDS (default 0.5) in spawned_work.
//
// Answer: four processes of equal weight, all of it in spawned_work, and nearly none in the parent.
// Prints `HOW CPUSECONDS` for each.
#define _GNU_SOURCE
#include "burn.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static const char self[] = "/proc/self/exe";

__attribute__((noinline)) uint64_t spawned_work(double seconds) { return burn_seconds(seconds); }

static int waited(pid_t pid) {
  int status = -1;
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(int argc, char **argv) {
  if (argc > 2) {
    volatile uint64_t sink = spawned_work(atof(argv[2]));
    (void)sink;
    printf("%s %.4f\n", argv[1], process_seconds());
    return 0;
  }
  const char *seconds = argc > 1 ? argv[1] : "0.5";

  pid_t pid = fork();
  if (pid == 0) {
    execl(self, argv[0], "fork", seconds, (char *)NULL);
    _exit(1);
  }
  int fine = waited(pid);

  pid = vfork();
  if (pid == 0) {
    execl(self, argv[0], "vfork", seconds, (char *)NULL);
    _exit(1);
  }
  fine &= waited(pid);

  char *arguments[] = {argv[0], "posix_spawn", (char *)seconds, NULL};
  fine &= posix_spawn(&pid, self, NULL, NULL, arguments, environ) == 0 && waited(pid);

  char program[4096];
  ssize_t length = readlink(self, program, sizeof program - 1);
  program[length > 0 ? length : 0] = 0;
  char command[8192];
  snprintf(command, sizeof command, "exec '%s' system %s", program, seconds);
  fine &= system(command) == 0;
  return !fine;
}
