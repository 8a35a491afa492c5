// heap_ends HOW: allocates 10,000 blocks of 24 bytes in last_blocks, frees every second one, prints
// `last_blocks 10000 240000 5000 120000`, waits 0.3 s, allocates 1,000 more in after_wait, and
// ends:
//   return, exit, _exit, quick_exit   with status 3
//   abort, SIGTERM, SIGKILL           by the signal
//
// Answer: those blocks, whatever the end; of after_wait all 1,000, or any number if the end is
// SIGKILL. Nothing is temporary.
#define _GNU_SOURCE
#include "heap.h"

#include <signal.h>
#include <sys/resource.h>

site static void last_blocks(void) {
  static void *blocks[10000];
  for (int i = 0; i < 10000; i++) {
    blocks[i] = keep(malloc(24));
  }
  for (int i = 0; i < 10000; i += 2) {
    free(blocks[i]);
  }
}

site static void after_wait(void) {
  for (int i = 0; i < 1000; i++) {
    keep(malloc(8));
  }
}

int main(int argc, char **argv) {
  const char *how = argc == 2 ? argv[1] : "";
  struct rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  last_blocks();
  say("last_blocks 10000 240000 5000 120000\n");
  usleep(300000);
  after_wait();
  if (strcmp(how, "exit") == 0) {
    exit(3);
  } else if (strcmp(how, "_exit") == 0) {
    _exit(3);
  } else if (strcmp(how, "quick_exit") == 0) {
    quick_exit(3);
  } else if (strcmp(how, "abort") == 0) {
    abort();
  } else if (strcmp(how, "SIGTERM") == 0) {
    raise(SIGTERM);
  } else if (strcmp(how, "SIGKILL") == 0) {
    raise(SIGKILL);
  }
  return strcmp(how, "return") == 0 ? 3 : 64;
}
