// heap_destructors: eight threads, each with a pthread key whose destructor allocates and frees and
// re-arms itself once, and with a thread_local object whose destructor allocates; then blocks that
// are freed at the very end, by static objects, atexit, destructor functions and heap_late.so.
//
// Answer (see heap_script.c), none of them kept:
//   key_destructor 16 1600 16 1600 16 1600
//   local_destructor 8 808 8 808 8 808
//   static_object, at_exit, destructor_function, late_library: one each, freed
#include "heap.h"

#include <pthread.h>
#include <thread>

static pthread_key_t key;

site static void *key_destructor() { return keep(malloc(100)); }
site static void *local_destructor() { return keep(malloc(101)); }
site static void *static_object() { return keep(malloc(501)); }
site static void *at_exit() { return keep(malloc(502)); }
site static void *destructor_function() { return keep(malloc(503)); }

static void end_key(void *round) {
  free(key_destructor());
  if (round == &key) {
    pthread_setspecific(key, reinterpret_cast<void *>(1));
  }
}

struct Local {
  char touched = 0;
  ~Local() { free(local_destructor()); }
};
static thread_local Local local;

struct Static {
  void *block = static_object();
  ~Static() { free(block); }
};
static Static object;

static void *exit_block, *destructor_block;

__attribute__((destructor)) static void end() { free(destructor_block); }

int main() {
  pthread_key_create(&key, end_key);
  for (int i = 0; i < 8; i++) {
    std::thread([] {
      local.touched = 1;
      pthread_setspecific(key, &key);
    }).join();
  }
  exit_block = at_exit();
  destructor_block = destructor_function();
  atexit([] { free(exit_block); });
  say("key_destructor 16 1600 16 1600 16 1600\n");
  say("local_destructor 8 808 8 808 8 808\n");
  say("static_object 1 501 1 501 0 0\n");
  say("at_exit 1 502 1 502 0 0\n");
  say("destructor_function 1 503 1 503 0 0\n");
  say("late_library 1 500 1 500 0 0\n");
  return 0;
}
