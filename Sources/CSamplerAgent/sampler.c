// The clock and the signal handler. A thread's timer counts its CPU time and signals the thread
// itself; the handler copies registers and stack into the thread's ring and returns.

#include "sampler.h"
#include "../CAgentCore/syscalls.h"
#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

// Above the initial stack pointer lie argc and the vectors; the frames end below them.
enum { words_above_stack_end = 64 };

// The thread that a fork leaves in the child. Its timer is not bound to a slot.
static struct {
  enum { NOT_FORKED, FORKED_UNLISTED, FORKED_LISTED, FORKED_REFUSED } state;
  uint32_t parent_image; // the nearest ancestor with a row
  uint32_t slot;
  struct qprof_thread thread;
} forked;
static const uintptr_t forked_cookie = QPROF_NO_INDEX; // no slot has this number

// Copies of the session's, next to what a forked child touches anyway.
static int64_t period_ns, tick_ns;
static uint32_t image; // number of this process's row
static bool samples;   // this recording wants CPU samples
static unsigned long long loaded_at_start;
static struct qprof_thread threads[QPROF_MAX_SLOTS];

struct qprof_thread *qprof_thread_at(uint32_t slot) {
  return &threads[slot];
}

void *qprof_next(const char *name) { return dlsym(RTLD_NEXT, name); }

// Until the first expiry. One nanosecond makes the timer fire at the first tick that meets the
// thread, which gives threads shorter than a tick their fair chance. With a period longer than
// the tick the start is spread over the difference, or short threads would weigh too much.
static int64_t first_expiry(int32_t tid) {
  int64_t spread = period_ns - tick_ns;
  if (spread <= 0)
    return 1;
  uint64_t mixed = ((uint64_t)qprof_now() ^ ((uint64_t)tid << 32)) * 0x9E3779B97F4A7C15ull;
  return 1 + (int64_t)((mixed >> 16) % (uint64_t)spread);
}

// Creates and starts the timer of `thread`, whose signals carry `cookie`.
static bool start_timer(struct qprof_thread *thread, int32_t tid, uintptr_t cookie) {
  struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = QPROF_SIGNAL};
  event.sigev_value.sival_ptr = (void *)cookie;
  event._sigev_un._tid = tid;
  // The kernel's name for the CPU clock of any thread of this process (man 2 clock_getres):
  // so a tick in one thread can arm another.
  long clock = (long)(int32_t)((~(uint32_t)tid << 3) | 6);
  struct itimerspec when = {.it_value.tv_nsec = 0};
  int64_t first = first_expiry(tid);
  when.it_value = (struct timespec){first / 1000000000, first % 1000000000};
  when.it_interval = (struct timespec){period_ns / 1000000000, period_ns % 1000000000};
  thread->armed = false;
  if (qprof_syscall3(SYS_timer_create, clock, (long)&event, (long)&thread->timer) < 0)
    return false;
  thread->armed = true;
  qprof_syscall4(SYS_timer_settime, thread->timer, 0, (long)&when, 0);
  return true;
}

void qprof_disarm(struct qprof_thread *thread) {
  if (!thread->armed)
    return;
  thread->armed = false;
  qprof_syscall3(SYS_timer_delete, thread->timer, 0, 0);
}

void qprof_arm(uint32_t slot, int32_t tid, struct qprof_stack stack) {
  struct qprof_thread *thread = &threads[slot];
  thread->generation = qprof_slot_at(slot)->generation;
  thread->stack = stack;
  if (!start_timer(thread, tid, (uintptr_t)thread->generation << 32 | slot))
    __atomic_fetch_add(&qprof_process->no_timer, 1, __ATOMIC_RELAXED);
}

void qprof_arm_forked(struct qprof_stack stack) {
  if (forked.state != FORKED_UNLISTED)
    forked.parent_image = image;
  forked.state = FORKED_UNLISTED;
  forked.slot = QPROF_NO_INDEX;
  forked.thread.stack = stack;
  if (!samples)
    return;
  if (!start_timer(&forked.thread, qprof_gettid(), forked_cookie) && qprof_register_process())
    __atomic_fetch_add(&qprof_process->no_timer, 1, __ATOMIC_RELAXED);
}

uint32_t qprof_forked_slot(void) { return forked.slot; }

struct qprof_thread *qprof_forked_thread(void) {
  return &forked.thread;
}

bool qprof_register_process(void) {
  if (forked.state != FORKED_UNLISTED)
    return forked.state != FORKED_REFUSED;
  forked.state = FORKED_REFUSED; // also for a tick that interrupts this
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (!qprof_claim_process(forked.parent_image))
    return false;
  image = qprof_process->image;
  forked.state = FORKED_LISTED;
  return true;
}

uint32_t qprof_claim_cpu_slot(int32_t tid) {
  if (!samples)
    return QPROF_NO_INDEX;
  uint32_t slot = qprof_claim_slot(tid, QPROF_SLOT_CPU);
  if (slot == QPROF_NO_INDEX)
    __atomic_fetch_add(&qprof_process->no_slot, 1, __ATOMIC_RELAXED);
  return slot;
}

// The thread of a forked process at its first tick.
static uint32_t slot_of_forked_thread(void) {
  if (forked.slot == QPROF_NO_INDEX && qprof_register_process())
    forked.slot = qprof_claim_cpu_slot(qprof_gettid());
  return forked.slot;
}

// A thread that the hook of pthread_create has not seen, found by the recorder in /proc. Nothing
// is known of its stack, so its copies go through the kernel.
static void arm_wanted_thread(void) {
  int32_t tid = (int32_t)__atomic_exchange_n(&qprof_process->wanted, 0, __ATOMIC_ACQ_REL);
  if (tid <= 0)
    return;
  uint32_t slot = qprof_claim_cpu_slot(tid);
  if (slot != QPROF_NO_INDEX)
    qprof_arm(slot, tid, (struct qprof_stack){0, 0});
}

static void on_tick(int number, siginfo_t *info, void *context) {
  uintptr_t value = (uintptr_t)info->si_value.sival_ptr;
  uint32_t slot = (uint32_t)value;
  bool is_forked = value == forked_cookie && forked.state != NOT_FORKED;
  struct qprof_thread *thread = is_forked ? &forked.thread : &threads[slot % QPROF_MAX_SLOTS];
  bool is_ours = is_forked || (slot < QPROF_MAX_SLOTS && thread->generation == value >> 32);
  if (info->si_code != SI_TIMER || !is_ours) {
    qprof_forward_signal(number, info, context);
    return;
  }
  if (!thread->armed)
    return; // late: the thread is on its way out
  int64_t now = qprof_now();
  if (qprof_should_stop(now)) {
    qprof_disarm(thread);
    return;
  }
  if (is_forked && (slot = slot_of_forked_thread()) == QPROF_NO_INDEX)
    return;
  uint32_t weight = 1 + (uint32_t)info->si_overrun;
  __atomic_fetch_add(&qprof_process->ticks, weight, __ATOMIC_RELAXED);
  if (__atomic_load_n(&qprof_process->wanted, __ATOMIC_RELAXED))
    arm_wanted_thread();
  qprof_write_sample(slot, context, &thread->stack, now, weight);
}

// The initial thread's stack: from where the program began down to its limit. What else is mapped
// below it keeps at least that distance (kernel: mmap_base).
static struct qprof_stack initial_stack(void) {
  void *const *end = dlsym(RTLD_DEFAULT, "__libc_stack_end");
  if (!end)
    return (struct qprof_stack){0, 0};
  uintptr_t high = (uintptr_t)*end + words_above_stack_end;
  struct rlimit limit = {0, 0};
  const rlim_t at_least = 128ul << 20, at_most = 1ul << 30;
  if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur < at_least)
    limit.rlim_cur = at_least;
  if (limit.rlim_cur > at_most)
    limit.rlim_cur = at_most;
  return (struct qprof_stack){high - limit.rlim_cur, high};
}

static int count_loads(struct dl_phdr_info *info, size_t size, void *sum) {
  if (size >= sizeof *info)
    *(unsigned long long *)sum = info->dlpi_adds;
  return 1; // the count is the same for every object
}

static unsigned long long objects_loaded(void) {
  unsigned long long loaded = 0;
  dl_iterate_phdr(count_loads, &loaded);
  return loaded;
}

bool qprof_begin(void) {
  static bool refused;
  if (qprof_process)
    return true;
  if (refused || !qprof_attach())
    return false;
  if (qprof_should_stop(qprof_now()) || !qprof_claim_process(0)) {
    refused = true;
    return false;
  }
  period_ns = qprof_session->period_ns;
  tick_ns = qprof_session->tick_ns;
  image = qprof_process->image;
  return true;
}

__attribute__((constructor)) static void start(void) {
  if (!qprof_begin())
    return;
  samples = qprof_session->flags & QPROF_SAMPLES_CPU && qprof_take_signal(on_tick);
  qprof_follow_threads();
  loaded_at_start = objects_loaded();
  int32_t tid = qprof_gettid();
  uint32_t slot = qprof_claim_cpu_slot(tid);
  if (slot == QPROF_NO_INDEX)
    return;
  qprof_set_current_slot(slot);
  qprof_write_maps(slot);
  qprof_arm(slot, tid, initial_stack());
}

// A process of a few milliseconds is gone before the recorder can read its mappings. Those of the
// start were written then; if objects came since, they are written again.
__attribute__((destructor)) static void finish(void) {
  if (!qprof_process || forked.state == FORKED_UNLISTED || forked.state == FORKED_REFUSED)
    return; // no row, or the parent's
  uint32_t slot = qprof_slot_for_maps();
  if (slot != QPROF_NO_INDEX && objects_loaded() != loaded_at_start)
    qprof_write_maps(slot);
  uint32_t live = QPROF_PROCESS_LIVE;
  __atomic_compare_exchange_n(&qprof_process->state, &live, QPROF_PROCESS_EXITED, false,
                              __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}
