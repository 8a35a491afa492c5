// System calls by hand: a target may interpose libc's wrappers, the handler must not run its code,
// and errno must stay as the target left it. Each returns the kernel's value, -errno on failure.

#ifndef QPROF_SYSCALLS_H
#define QPROF_SYSCALLS_H

#include <stdint.h>
#include <sys/syscall.h>

static inline long qprof_syscall6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static inline long qprof_syscall3(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

static inline long qprof_syscall4(long number, long a, long b, long c, long d) {
  return qprof_syscall6(number, a, b, c, d, 0, 0);
}

#endif
