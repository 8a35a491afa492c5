// rawsignal [SECONDS]: installs a SIGPROF handler by the system call itself, which no preloaded
// library can see, as some language runtimes do, and burns SECONDS (default 1) in deaf_work.
//
// Answer: prints `cpu CPUSECONDS`. A sampler that uses this signal sees nothing, harms nothing, and
// has to say so.
#define _GNU_SOURCE
#include "burn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

// The kernel's own layout (man 2 sigaction): libc's differs.
struct kernel_action {
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  unsigned long mask;
};

enum { sa_restorer = 0x04000000 };

__attribute__((naked)) static void restore(void) {
  __asm__("mov %0, %%eax\n\tsyscall" : : "i"(SYS_rt_sigreturn));
}

static void ignore(int signal) { (void)signal; }

__attribute__((noinline)) uint64_t deaf_work(double seconds) { return burn_seconds(seconds); }

int main(int argc, char **argv) {
  struct kernel_action action = {ignore, sa_restorer | SA_RESTART, restore, 0};
  if (syscall(SYS_rt_sigaction, SIGPROF, &action, NULL, sizeof action.mask) != 0) {
    perror("rawsignal");
    return 1;
  }
  volatile uint64_t sink = deaf_work(argc > 1 ? atof(argv[1]) : 1);
  (void)sink;
  printf("cpu %.4f\n", thread_seconds());
  return 0;
}
