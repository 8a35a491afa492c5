// rawclone [GIGASTEPS]: a thread made by the clone system call itself, unknown to the C library,
// does GIGASTEPS * 10^9 steps (default 2, a few seconds) in raw_work and ends by a raw exit, while
// the main thread does as many in main_work.
//
// Answer: raw_work and main_work have the weights that are printed as CPU seconds, in two threads
// of one process, on complete stacks. The new thread calls nothing in libc: it has no thread-local
// storage of its own.
#define _GNU_SOURCE
#include "burn.h"

#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t steps;
static volatile uint64_t result;
static volatile int alive;

__attribute__((noinline)) uint64_t raw_work(uint64_t count) { return burn(count, 1); }
__attribute__((noinline)) uint64_t main_work(uint64_t count) { return burn(count, 2); }

__attribute__((noreturn, used)) void raw_main(void) {
  result = raw_work(steps);
  for (;;) {
    __asm__ volatile("syscall" : : "a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
  }
}

// Returns the new thread's id here; the new thread starts in raw_main on the given stack, and its
// unwind information says that nobody called it, as that of the C library's clone does.
__attribute__((noinline)) static long start_thread(void *stack_top) {
  unsigned long flags = CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FS | CLONE_FILES |
                        CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
  long tid;
  register volatile int *child_tid __asm__("r10") = &alive;
  register long tls __asm__("r8") = 0;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   ".cfi_remember_state\n\t"
                   ".cfi_undefined rip\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "call raw_main\n\t"
                   "hlt\n\t"
                   ".cfi_restore_state\n"
                   "1:"
                   : "=a"(tid)
                   : "a"(SYS_clone), "D"(flags), "S"(stack_top), "d"(0), "r"(child_tid), "r"(tls)
                   : "rcx", "r11", "memory");
  return tid;
}

int main(int argc, char **argv) {
  steps = (uint64_t)((argc > 1 ? atof(argv[1]) : 2) * 1e9);
  size_t size = 256 << 10;
  char *stack =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) {
    return 1;
  }
  alive = 1;
  long tid = start_thread(stack + size);
  if (tid < 0) {
    return 1;
  }
  volatile uint64_t sink = main_work(steps);
  (void)sink;
  while (alive) {
    syscall(SYS_futex, &alive, FUTEX_WAIT, 1, NULL, NULL, 0);
  }
  double mine = thread_seconds();
  printf("main_work %.4f\nraw_work %.4f\n", mine, process_seconds() - mine);
  return result == 0;
}
