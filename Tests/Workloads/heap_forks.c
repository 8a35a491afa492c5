// heap_forks [CHILDREN]: while three threads allocate and free nearly without a pause, forks
// CHILDREN (default 200), each of which starts two threads that allocate 100 blocks each in
// child_block, allocates 10 there itself, frees one block of its parent's, and ends by exit or
// _exit in turn.
//
// Answer: exits 0, prints `children N` and `parent_block COUNT`, the number of blocks of the three
// threads; child_block has 210 blocks of 48 bytes for each child, not freed. No child hangs: glibc
// lets a child of a program with threads allocate.
#include "heap.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

static atomic_bool stop;
static atomic_long allocated;

site static void *parent_block(void) { return keep(malloc(32)); }
site static void *child_block(void) { return keep(malloc(48)); }

static void *hammer(void *unused) {
  long count = 0;
  while (!stop) {
    for (int i = 0; i < 1000; i++, count++) {
      free(parent_block());
    }
    usleep(50); // the children want the processors, too
  }
  allocated += count;
  return unused;
}

static void *child_thread(void *unused) {
  for (int i = 0; i < 100; i++) {
    child_block();
  }
  return unused;
}

static void child(int number, void *inherited) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++) {
    require(pthread_create(&threads[i], NULL, child_thread, NULL) == 0);
  }
  for (int i = 0; i < 10; i++) {
    child_block();
  }
  free(inherited);
  for (int i = 0; i < 2; i++) {
    pthread_join(threads[i], NULL);
  }
  number % 2 == 0 ? exit(0) : _exit(0);
}

int main(int argc, char **argv) {
  int children = argc > 1 ? atoi(argv[1]) : 200;
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) {
    require(pthread_create(&threads[i], NULL, hammer, NULL) == 0);
  }
  void *inherited = keep(malloc(1));
  for (int i = 0; i < children; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      child(i, inherited);
    }
    int status;
    require(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
  }
  stop = 1;
  for (int i = 0; i < 3; i++) {
    pthread_join(threads[i], NULL);
  }
  say("children %d\n", children);
  say("parent_block %ld\n", (long)allocated);
  return 0;
}
