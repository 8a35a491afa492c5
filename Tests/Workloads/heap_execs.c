// heap_execs: allocates 7 blocks in before_spawns, starts itself as `heap_execs leaf` 20 times, by
// vfork and exec and by posix_spawn in turn, frees the 7, and becomes `heap_execs leaf` by exec.
// As a leaf it allocates 5 blocks in leaf_block, which it keeps.
//
// Answer: before_spawns 7 700 7 700, leaf_block 105 blocks of 30 bytes in 21 program images.
#include "heap.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

site static void leaf_block(void) { keep(malloc(30)); }
site static void *before_spawns(void) { return keep(malloc(100)); }

static pid_t start(char **command, int by_vfork) {
  pid_t pid;
  if (!by_vfork) {
    require(posix_spawn(&pid, command[0], NULL, NULL, command, environ) == 0);
    return pid;
  }
  pid = vfork();
  if (pid == 0) {
    execv(command[0], command);
    _exit(127);
  }
  return pid;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    for (int i = 0; i < 5; i++) {
      leaf_block();
    }
    return 0;
  }
  void *blocks[7];
  for (int i = 0; i < 7; i++) {
    blocks[i] = before_spawns();
  }
  char *command[] = {argv[0], "leaf", NULL};
  for (int i = 0; i < 20; i++) {
    pid_t pid = start(command, i % 2);
    int status;
    require(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
  }
  for (int i = 0; i < 7; i++) {
    free(blocks[i]);
  }
  say("images 21\n");
  say("before_spawns 7 700 7 700\n");
  say("leaf_block 105 3150 0 0\n");
  execv(command[0], command);
  return 70;
}
