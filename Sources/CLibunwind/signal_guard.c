#include "libunwind_shim.h"
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static _Thread_local bool unwinding;

void qprof_unwinding_begins(void) { unwinding = true; }
void qprof_unwinding_ends(void) { unwinding = false; }

// The definition in the executable is the one libunwind.so calls. While this thread unwinds it
// does nothing: no handler of ours enters libunwind, and its cache has one user.
__attribute__((visibility("default"))) int sigprocmask(int how, const sigset_t *set,
                                                       sigset_t *old) {
  if (unwinding)
    return 0;
  return (int)syscall(SYS_rt_sigprocmask, how, set, old, 8);
}
