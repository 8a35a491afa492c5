// heap_handover: `producer` allocates 10,000 blocks of 64 bytes and hands them over through a queue
// of 16 to `consumer`, which frees them. `main` takes no part.
//
// Answer: produce 10000 640000 10000 640000 0 0 (see heap_script.c): none of the blocks is
// temporary, for another thread freed it. By thread: producer allocates all, consumer frees all.
#define _GNU_SOURCE
#include "heap.h"

#include <pthread.h>
#include <semaphore.h>

enum { count = 10000, room = 16 };

static void *queue[room];
static sem_t empty, full;

site static void *produce(void) { return keep(malloc(64)); }

static void *producer(void *unused) {
  pthread_setname_np(pthread_self(), "producer");
  for (int i = 0; i < count; i++) {
    sem_wait(&empty);
    queue[i % room] = produce();
    sem_post(&full);
  }
  return unused;
}

static void *consumer(void *unused) {
  pthread_setname_np(pthread_self(), "consumer");
  for (int i = 0; i < count; i++) {
    sem_wait(&full);
    free(queue[i % room]);
    sem_post(&empty);
  }
  return unused;
}

int main(void) {
  sem_init(&empty, 0, room);
  sem_init(&full, 0, 0);
  pthread_t threads[2];
  require(pthread_create(&threads[0], NULL, producer, NULL) == 0);
  require(pthread_create(&threads[1], NULL, consumer, NULL) == 0);
  for (int i = 0; i < 2; i++) {
    pthread_join(threads[i], NULL);
  }
  say("produce 10000 640000 10000 640000 0 0\n");
  return 0;
}
