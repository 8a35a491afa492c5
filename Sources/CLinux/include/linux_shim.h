// System calls that Swift's Glibc module leaves out.

#ifndef QPROF_LINUX_SHIM_H
#define QPROF_LINUX_SHIM_H

#include <signal.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/xattr.h>

// A descriptor, closed on exec, that never blocks, from which the signals of `set` are read.
int qprof_signalfd(const sigset_t *_Nonnull set);

// A GNU extension, which glibc's header hides from Swift.
int qprof_spawn_in_folder(posix_spawn_file_actions_t *_Nonnull actions,
                          const char *_Nonnull folder);

#endif
