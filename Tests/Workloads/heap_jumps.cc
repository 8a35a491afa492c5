// heap_jumps: leaves allocation functions by other ways than returning. 100 times each:
//   - free of an address without memory: glibc faults before it changes anything, and the signal
//     handler allocates and jumps back to main
//   - the same for realloc
//   - operator new that finds no memory throws bad_alloc, or what a new_handler throws
// After each of them after_jump allocates 10 blocks of 40 bytes and frees them in order.
//
// Answer (see heap_script.c): after_jump 4000 160000 4000 160000 0 0, in_handler 200 6400 0 0 0 0.
#include "heap.h"

#include <csetjmp>
#include <csignal>
#include <new>

static sigjmp_buf back;
static volatile size_t too_much = SIZE_MAX / 2;

site static void in_handler() { keep(malloc(32)); }

static void jump_back(int) {
  in_handler();
  siglongjmp(back, 1);
}

site static void after_jump() {
  void *blocks[10];
  for (void *&block : blocks) {
    block = keep(malloc(40));
  }
  for (void *block : blocks) {
    free(block);
  }
}

static void *nowhere() { return keep(reinterpret_cast<void *>(0x10000)); }

static void jump_out_of_free() {
  if (sigsetjmp(back, 1) == 0) {
    free(nowhere());
    require(false);
  }
}

static void jump_out_of_realloc() {
  if (sigsetjmp(back, 1) == 0) {
    void *moved = realloc(nowhere(), 50);
    require(moved == nullptr);
    require(false);
  }
}

static void catch_bad_alloc() {
  try {
    keep(::operator new(too_much));
    require(false);
  } catch (const std::bad_alloc &) {
  }
}

static void catch_from_handler() {
  std::set_new_handler([] { throw 7; });
  try {
    keep(::operator new(too_much));
    require(false);
  } catch (int thrown) {
    require(thrown == 7);
  }
  std::set_new_handler(nullptr);
}

int main() {
  struct sigaction action = {};
  action.sa_handler = jump_back;
  sigaction(SIGSEGV, &action, nullptr);
  void (*const ways[])() = {jump_out_of_free, jump_out_of_realloc, catch_bad_alloc,
                            catch_from_handler};
  for (auto way : ways) {
    for (int i = 0; i < 100; i++) {
      way();
      after_jump();
    }
  }
  say("after_jump 4000 160000 4000 160000 0 0\n");
  say("in_handler 200 6400 0 0 0 0\n");
  return 0;
}
