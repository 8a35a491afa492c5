#include "unwind_probe.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

enum { trap_flag = 0x100 };

static _Thread_local struct {
  struct probe_steps *steps;
  struct probe_walk *walk;
  uint64_t linkage_start;
  uint64_t linkage_end;
  bool is_stepping;
  bool is_over;
} state;

// backtrace() starts in the handler; what it finds from the interrupted pc on is wanted.
static void expect(struct probe_walk *walk, uint64_t pc) {
  void *found[probe_capacity];
  int count = backtrace(found, probe_capacity);
  int first = 0;
  while (first < count && (uint64_t)found[first] != pc)
    first++;
  walk->expected_count = (unsigned)(count - first);
  memcpy(walk->expected, found + first, (size_t)(count - first) * sizeof(void *));
}

static bool agree(const struct probe_walk *walk, unsigned count) {
  if (walk->count != count)
    return false;
  for (unsigned i = 0; i < count; i++)
    if ((walk->frames[i] & ~UNWIND_EXACT) != walk->expected[i])
      return false;
  return true;
}

static void compare_walks(const ucontext_t *context) {
  const greg_t *registers = context->uc_mcontext.gregs;
  uint64_t pc = (uint64_t)registers[REG_RIP];
  struct probe_walk *walk = state.walk;
  probe_from(pc | UNWIND_EXACT, (uint64_t)registers[REG_RSP], (uint64_t)registers[REG_RBP], walk);
  expect(walk, pc);
  struct probe_steps *steps = state.steps;
  steps->steps++;
  steps->in_linkage += pc >= state.linkage_start && pc < state.linkage_end;
  steps->complete += walk->result.ending == UNWIND_COMPLETE;
  bool is_cut = walk->result.ending == UNWIND_NOT_SUPPORTED;
  steps->unsupported += is_cut;
  bool is_same = agree(walk, is_cut ? walk->count : walk->expected_count);
  if (!is_same && steps->different++ == 0)
    *steps->walk = *walk;
}

static void on_trap(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  ucontext_t *user = context;
  if (state.is_stepping)
    compare_walks(user);
  state.is_stepping = !state.is_over;
  if (state.is_stepping)
    user->uc_mcontext.gregs[REG_EFL] |= trap_flag;
  else
    user->uc_mcontext.gregs[REG_EFL] &= ~trap_flag;
}

void probe_every_step(void *object, const char *function, uint64_t linkage_start,
                      uint64_t linkage_end, struct unwind_cache *cache, struct probe_steps *steps) {
  void (*body)(void);
  *(void **)&body = dlsym(object, function);
  if (!body)
    return;
  void *unused[1];
  backtrace(unused, 1); // loads what it needs
  steps->walk = probe_make_walk(cache);
  state.steps = steps;
  state.walk = probe_make_walk(cache);
  state.linkage_start = linkage_start;
  state.linkage_end = linkage_end;
  state.is_stepping = state.is_over = false;
  struct sigaction action = {.sa_flags = SA_SIGINFO}, old;
  action.sa_sigaction = on_trap;
  sigset_t signals, old_signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTRAP);
  sigaction(SIGTRAP, &action, &old);
  pthread_sigmask(SIG_UNBLOCK, &signals, &old_signals);
  pthread_kill(pthread_self(), SIGTRAP);
  body();
  state.is_over = true;
  pthread_sigmask(SIG_SETMASK, &old_signals, 0); // takes more than one step
  sigaction(SIGTRAP, &old, 0);
  probe_free_walk(state.walk);
}
