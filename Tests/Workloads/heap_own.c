// heap_own: defines malloc and its relatives itself, over a static array; what a library preloaded
// before glibc defines is never asked.
//
// Answer: prints `blocks 1000` and exits 0; a profiler says that this program's blocks are not
// tracked and why.
#include "heap.h"

static _Alignas(16) char arena[1 << 20];
static size_t used;
static long blocks;

// Each block begins 16 bytes after its size.
void *malloc(size_t size) {
  size_t whole = (size + 31) / 16 * 16;
  if (size > sizeof arena || whole > sizeof arena - used) {
    return NULL;
  }
  char *block = arena + used + 16;
  memcpy(block - 16, &size, sizeof size);
  used += whole;
  blocks++;
  return block;
}

void free(void *block) { (void)block; }

void *calloc(size_t count, size_t size) {
  return size > 0 && count > sizeof arena / size ? NULL : malloc(count * size); // never reused
}

void *realloc(void *old, size_t size) {
  size_t had = 0;
  if (old != NULL) {
    memcpy(&had, (char *)old - 16, sizeof had);
  }
  void *block = malloc(size);
  if (block != NULL && old != NULL) {
    memcpy(block, old, had < size ? had : size);
  }
  return block;
}

int main(void) {
  long before = blocks;
  for (int i = 0; i < 1000; i++) {
    free(keep(malloc(50)));
  }
  say("blocks %ld\n", blocks - before);
  return 0;
}
