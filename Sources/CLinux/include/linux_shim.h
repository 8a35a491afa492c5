// System calls that Swift's Glibc module leaves out.

#ifndef QPROF_LINUX_SHIM_H
#define QPROF_LINUX_SHIM_H

#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/signalfd.h>
#include <sys/xattr.h>
#include <x86intrin.h>

// A descriptor, closed on exec, that never blocks, from which the signals of `set` are read.
int qprof_signalfd(const sigset_t *_Nonnull set);

// A GNU extension, which glibc's header hides from Swift.
int qprof_spawn_in_folder(posix_spawn_file_actions_t *_Nonnull actions,
                          const char *_Nonnull folder);

// Sleeps until `file` can be read, a signal came, or so many nanoseconds have passed.
bool qprof_wait_readable(int file, int64_t nanoseconds);

// The processor's time stamp counter.
static inline uint64_t qprof_time_stamp(void) { return __rdtsc(); }

// Begins to bring what is at `address` into the cache. Never faults.
static inline void qprof_prefetch(const void *_Nonnull address) { __builtin_prefetch(address); }

// The counter runs at one rate whatever the processor's frequency and sleep states
// (CPUID.80000007H:EDX[8]).
bool qprof_has_invariant_time_stamp(void);

// Wakes all threads of any process that wait for `word`, which they share, to change.
void qprof_wake(uint32_t *_Nonnull word);

#endif
