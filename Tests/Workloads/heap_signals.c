// heap_signals [SECONDS]: for SECONDS (default 1) a timer interrupts the main thread a thousand
// times a second while it allocates and frees. The handler maps and unmaps a page, which is allowed
// in a handler; when main is not inside an allocation function it also allocates and frees, which
// works in glibc, whose functions are then entered once only.
//
// Answer: `main_block COUNT` and `handler_block COUNT`, blocks of 16 and 32 bytes, all freed, and
// `handler_page COUNT`, pages that were mapped and unmapped. A tracker that may not record a page
// because it was interrupted itself must count it.
#define _GNU_SOURCE
#include "heap.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

static volatile sig_atomic_t inside;
static volatile long main_blocks, handler_blocks, handler_pages;

site static void *main_block(void) { return keep(malloc(16)); }
site static void *handler_block(void) { return keep(malloc(32)); }
site static void *handler_page(void) {
  return keep(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}

static void interrupt(int signal) {
  (void)signal;
  munmap(handler_page(), 4096);
  handler_pages++;
  if (!inside) {
    free(handler_block());
    handler_blocks++;
  }
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  struct sigaction action = {.sa_handler = interrupt, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval interval = {{0, 1000}, {0, 1000}}, none = {{0, 0}, {0, 0}};
  struct timespec now, start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  setitimer(ITIMER_REAL, &interval, NULL);
  do {
    for (int i = 0; i < 200; i++) {
      inside = 1;
      void *block = main_block();
      void *other = main_block();
      free(block);
      free(other);
      inside = 0;
      main_blocks += 2;
      for (volatile int pause = 0; pause < 300; pause++) {
      }
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 <
           seconds);
  setitimer(ITIMER_REAL, &none, NULL);
  say("main_block %ld\n", main_blocks);
  say("handler_block %ld\n", handler_blocks);
  say("handler_page %ld\n", handler_pages);
  return 0;
}
