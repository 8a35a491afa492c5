// heap_daemon FILE: allocates 100 blocks, closes the descriptors 0 to 1023, as daemons do, opens
// FILE, which becomes descriptor 0, allocates 10,000 more, and writes the answer to FILE.
//
// Answer: before_close 100 1000 0 0 and after_close 10000 160000 5000 80000, and nothing else in
// FILE: a profiler that keeps a descriptor in the program lost it, and must not use the number.
#define _GNU_SOURCE
#include "heap.h"

#include <fcntl.h>

site static void before_close(void) { keep(malloc(10)); }
site static void *after_close(void) { return keep(malloc(16)); }

int main(int argc, char **argv) {
  if (argc != 2) {
    return 64;
  }
  for (int i = 0; i < 100; i++) {
    before_close();
  }
  for (int descriptor = 0; descriptor < 1024; descriptor++) {
    close(descriptor);
  }
  int file = open(argv[1], O_RDWR | O_CREAT | O_EXCL, 0600);
  for (int i = 0; i < 5000; i++) {
    void *freed = after_close();
    after_close();
    free(freed);
  }
  if (file != 0 || lseek(file, 0, SEEK_END) != 0) {
    return 1;
  }
  say_to(file, "before_close 100 1000 0 0\n");
  say_to(file, "after_close 10000 160000 5000 80000\n");
  return close(file);
}
