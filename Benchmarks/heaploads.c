// heaploads tight PAIRS            malloc and free in one loop, mixed small sizes, one stack
// heaploads deep COUNT             256 stacks of 50 to 53 frames, the last 64 blocks alive
// heaploads threads THREADS COUNT  COUNT allocations in all, shared out evenly among THREADS, which
//                                  have four stacks and 32 living blocks each
//
// A block has 16 to 527 bytes, in the tight loop 16 to 79, and is written from end to end. Each
// mode does the same work in every run.
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The compiler must neither drop an allocation nor turn a call into a jump.
#define keep(value) __asm__ volatile("" : "+r"(value) : : "memory")

static inline uint64_t next(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

enum { small = 63, mixed = 511 };

static inline void *block(uint64_t *state, uint64_t sizes) {
  size_t size = 16 + (next(state) & sizes);
  void *memory = malloc(size);
  if (memory == NULL) {
    abort();
  }
  memset(memory, 1, size);
  return memory;
}

static void tight(uint64_t pairs) {
  uint64_t state = 1;
  for (uint64_t i = 0; i < pairs; i++) {
    void *memory = block(&state, small);
    keep(memory);
    free(memory);
  }
}

// Six turns to the left or to the right, as the bits of `path` say: 64 stacks below one base.
static void *left(int level, uint64_t path, uint64_t *state);
static void *right(int level, uint64_t path, uint64_t *state);

#define TURN(name)                                                                                 \
  __attribute__((noinline)) static void *name(int level, uint64_t path, uint64_t *state) {         \
    void *memory = level == 0   ? block(state, mixed)                                              \
                   : (path & 1) ? left(level - 1, path >> 1, state)                                \
                                : right(level - 1, path >> 1, state);                              \
    keep(memory);                                                                                  \
    return memory;                                                                                 \
  }
TURN(left)
TURN(right)

__attribute__((noinline)) static void descend(int level, uint64_t count, uint64_t *state) {
  if (level > 0) {
    descend(level - 1, count, state);
    keep(level);
    return;
  }
  enum { alive = 64 };
  void *blocks[alive] = {0};
  for (uint64_t i = 0; i < count; i++) {
    free(blocks[i % alive]);
    blocks[i % alive] = left(6, next(state), state);
  }
  for (int i = 0; i < alive; i++) {
    free(blocks[i]);
  }
}

static void deep(uint64_t count) {
  uint64_t state = 1;
  for (int base = 0; base < 4; base++) {
    descend(38 + base, count / 4, &state);
  }
}

#define SITE(name)                                                                                 \
  __attribute__((noinline)) static void *name(uint64_t *state) {                                   \
    void *memory = block(state, mixed);                                                            \
    keep(memory);                                                                                  \
    return memory;                                                                                 \
  }
SITE(site0)
SITE(site1)
SITE(site2)
SITE(site3)

static void *work(void *argument) {
  static void *(*const sites[])(uint64_t *) = {site0, site1, site2, site3};
  enum { alive = 32 };
  void *blocks[alive] = {0};
  uint64_t count = *(uint64_t *)argument;
  uint64_t state = 1;
  for (uint64_t i = 0; i < count; i++) {
    void **slot = &blocks[next(&state) % alive];
    free(*slot);
    *slot = sites[i % 4](&state);
  }
  for (int i = 0; i < alive; i++) {
    free(blocks[i]);
  }
  return NULL;
}

static int threads(int count, uint64_t allocations) {
  pthread_t running[64];
  if (count < 1 || count > 64) {
    return 64;
  }
  allocations /= (uint64_t)count;
  for (int i = 0; i < count; i++) {
    if (pthread_create(&running[i], NULL, work, &allocations) != 0) {
      return 1;
    }
  }
  for (int i = 0; i < count; i++) {
    pthread_join(running[i], NULL);
  }
  return 0;
}

int main(int argc, char **argv) {
  const char *mode = argc > 2 ? argv[1] : "";
  uint64_t count = argc > 2 ? strtoull(argv[argc - 1], NULL, 10) : 0;
  if (strcmp(mode, "tight") == 0) {
    tight(count);
  } else if (strcmp(mode, "deep") == 0) {
    deep(count);
  } else if (strcmp(mode, "threads") == 0 && argc == 4) {
    return threads(atoi(argv[2]), count);
  } else {
    fprintf(stderr, "usage: heaploads tight PAIRS | deep COUNT | threads THREADS COUNT\n");
    return 64;
  }
  return 0;
}
