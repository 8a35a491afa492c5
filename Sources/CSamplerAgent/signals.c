// The sampling signal stays with the agent, and a target that uses the same signal does not
// notice: its handler is kept aside and gets every such signal that no timer of ours sent. A
// target that blocks "all signals" would hide its threads from the profiler and find our ticks in
// its sigwait; so ours is taken out of such sets while the target has no use of its own for it.

#include "../CAgentCore/syscalls.h"
#include "sampler.h"
#include <pthread.h>
#include <time.h>

typedef int action_function(int, const struct sigaction *, struct sigaction *);
typedef int mask_function(int, const sigset_t *, sigset_t *);

static action_function *next_action;
static bool taken;
// What the target set, in the half that `target_half` names: the other half can be written while
// a signal handler reads this one.
static struct sigaction target_actions[2];
static uint32_t target_half;

static struct sigaction *target_action(void) {
  return &target_actions[__atomic_load_n(&target_half, __ATOMIC_ACQUIRE)];
}

static bool target_uses_signal(void) { return target_action()->sa_handler != SIG_DFL; }

static action_function *find_next_action(void) {
  if (!next_action)
    next_action = (action_function *)qprof_next("sigaction");
  return next_action;
}

bool qprof_take_signal(void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction ours = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
  ours.sa_sigaction = handler;
  sigfillset(&ours.sa_mask);
  if (find_next_action()(QPROF_SIGNAL, &ours, &target_actions[0]) != 0)
    return false;
  taken = true;
  uint64_t set = 1ull << (QPROF_SIGNAL - 1); // the launcher may have left it blocked
  qprof_syscall4(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&set, 0, sizeof set);
  return true;
}

EXPORT int sigaction(int number, const struct sigaction *new, struct sigaction *old) {
  if (number != QPROF_SIGNAL || !taken)
    return find_next_action()(number, new, old);
  struct sigaction *current = target_action();
  struct sigaction wanted;
  if (new)
    wanted = *new;
  if (old)
    *old = *current;
  if (new) {
    uint32_t other = 1 - target_half;
    target_actions[other] = wanted;
    __atomic_store_n(&target_half, other, __ATOMIC_RELEASE);
  }
  return 0;
}

EXPORT sighandler_t signal(int number, sighandler_t handler) {
  struct sigaction new = {.sa_flags = SA_RESTART}, old;
  new.sa_handler = handler;
  sigaddset(&new.sa_mask, number);
  return sigaction(number, &new, &old) == 0 ? old.sa_handler : SIG_ERR;
}

// Does with a signal that is not ours what the target asked for.
void qprof_forward_signal(int number, siginfo_t *info, void *context) {
  struct sigaction action = *target_action();
  if (action.sa_handler == SIG_IGN)
    return;
  if (action.sa_handler != SIG_DFL) {
    if (action.sa_flags & SA_SIGINFO)
      action.sa_sigaction(number, info, context);
    else
      action.sa_handler(number);
    return;
  }
  if (info->si_code == SI_TIMER)
    return; // a late tick of a timer that is gone
  // The default is to end the process: put it back and send the signal again; it is delivered
  // when this handler returns.
  struct sigaction standard = {.sa_flags = 0};
  next_action(number, &standard, NULL);
  qprof_syscall3(SYS_tgkill, qprof_syscall3(SYS_getpid, 0, 0, 0), qprof_gettid(), number);
}

static const sigset_t *without_ours(const sigset_t *set, sigset_t *copy) {
  if (!set || !taken || target_uses_signal())
    return set;
  *copy = *set;
  sigdelset(copy, QPROF_SIGNAL);
  return copy;
}

EXPORT int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
  static mask_function *next;
  if (!next)
    next = (mask_function *)qprof_next("pthread_sigmask");
  sigset_t copy;
  return next(how, how == SIG_UNBLOCK ? set : without_ours(set, &copy), old);
}

EXPORT int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
  static mask_function *next;
  if (!next)
    next = (mask_function *)qprof_next("sigprocmask");
  sigset_t copy;
  return next(how, how == SIG_UNBLOCK ? set : without_ours(set, &copy), old);
}

EXPORT int sigwait(const sigset_t *set, int *number) {
  static int (*next)(const sigset_t *, int *);
  if (!next)
    next = (int (*)(const sigset_t *, int *))qprof_next("sigwait");
  sigset_t copy;
  return next(without_ours(set, &copy), number);
}

EXPORT int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout) {
  static int (*next)(const sigset_t *, siginfo_t *, const struct timespec *);
  if (!next)
    next =
        (int (*)(const sigset_t *, siginfo_t *, const struct timespec *))qprof_next("sigtimedwait");
  sigset_t copy;
  return next(without_ours(set, &copy), info, timeout);
}

EXPORT int sigwaitinfo(const sigset_t *set, siginfo_t *info) {
  return sigtimedwait(set, info, NULL);
}
