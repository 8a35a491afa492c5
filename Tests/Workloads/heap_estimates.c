// heap_estimates [CHILDREN]: forks CHILDREN (default 200) one after the other. Each allocates, in
// turns, 8,000 blocks of 100 bytes in small_block, 400 of 2,000 in middle_block and 40 of 20,000 in
// large_block: 800,000 bytes each. Of every two blocks one is freed at the end.
//
// Answer: these numbers in every child: what is drawn at random in one has nothing to do with what
// is drawn in another.
#include "heap.h"

#include <sys/wait.h>

enum { turns = 40, per_turn = 200 + 10 + 1 };

site static void *small_block(void) { return keep(malloc(100)); }
site static void *middle_block(void) { return keep(malloc(2000)); }
site static void *large_block(void) { return keep(malloc(20000)); }

static void work(void) {
  static void *blocks[turns][per_turn];
  for (int turn = 0; turn < turns; turn++) {
    for (int i = 0; i < per_turn; i++) {
      blocks[turn][i] = i < 200 ? small_block() : i < 210 ? middle_block() : large_block();
    }
  }
  for (int turn = 0; turn < turns; turn += 2) {
    for (int i = 0; i < per_turn; i++) {
      free(blocks[turn][i]);
    }
  }
}

int main(int argc, char **argv) {
  int children = argc > 1 ? atoi(argv[1]) : 200;
  for (int i = 0; i < children; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      work();
      _exit(0);
    }
    int status;
    require(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
  }
  say("children %d\n", children);
  say("small_block 8000 800000 4000 400000\n");
  say("middle_block 400 800000 200 400000\n");
  say("large_block 40 800000 20 400000\n");
  return 0;
}
