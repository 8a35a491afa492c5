// Life of threads and processes: a slot and a timer for each thread that pthread_create starts,
// and for the thread that a fork leaves in the child.

#include "sampler.h"
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

typedef int create_function(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static create_function *next_create;
static pthread_key_t slot_key; // value: slot plus one, or of_forked_thread
static bool following;
static size_t default_stack_size;

// Stands for the slot that the thread of a forked process may get at a tick.
static void *const of_forked_thread = (void *)UINTPTR_MAX;

uint32_t qprof_current_slot(void) {
  void *value = following ? pthread_getspecific(slot_key) : NULL;
  if (value == of_forked_thread)
    return qprof_forked_slot();
  return (uint32_t)((uintptr_t)value - 1);
}

uint32_t (*qprof_tracker_slot)(void);

uint32_t qprof_slot_for_maps(void) {
  uint32_t slot = qprof_tracker_slot ? qprof_tracker_slot() : QPROF_NO_INDEX;
  return slot == QPROF_NO_INDEX ? qprof_current_slot() : slot;
}

void qprof_set_current_slot(uint32_t slot) {
  pthread_setspecific(slot_key, (void *)((uintptr_t)slot + 1));
}

static struct qprof_thread *thread_of(void *value) {
  return value == of_forked_thread ? qprof_forked_thread()
                                   : qprof_thread_at((uint32_t)((uintptr_t)value - 1));
}

static void thread_ends(void *value) {
  // The timer goes first: a signal must not find a slot that is somebody else's by then.
  qprof_disarm(thread_of(value));
  uint32_t slot =
      value == of_forked_thread ? qprof_forked_slot() : (uint32_t)((uintptr_t)value - 1);
  if (slot != QPROF_NO_INDEX)
    qprof_release_slot(slot);
}

// The stack of a thread that starts here ends a little above this frame, and never above its
// control block, which glibc keeps at the top of the stack.
static struct qprof_stack stack_below(uintptr_t frame, size_t size) {
  enum { frames_of_libc = 1024 };
  uintptr_t control_block = (uintptr_t)pthread_self();
  uintptr_t high = frame + frames_of_libc;
  if (high > control_block && control_block > frame)
    high = control_block;
  return (struct qprof_stack){high - size, high};
}

static void *run(void *argument) {
  uint32_t slot = (uint32_t)(uintptr_t)argument;
  struct qprof_thread *thread = qprof_thread_at(slot);
  void *(*start)(void *) = thread->start;
  void *start_argument = thread->argument;
  size_t size = thread->stack.high - thread->stack.low;
  int32_t tid = qprof_gettid();
  struct qprof_slot *shared = qprof_slot_at(slot);
  shared->tid = tid;
  __atomic_store_n(&shared->state, QPROF_SLOT_LIVE, __ATOMIC_RELEASE);
  qprof_set_current_slot(slot);
  qprof_arm(slot, tid, stack_below((uintptr_t)__builtin_frame_address(0), size));
  return start(start_argument);
}

static size_t stack_size(const pthread_attr_t *attributes) {
  size_t size = 0;
  if (!attributes || pthread_attr_getstacksize(attributes, &size) != 0 || size == 0)
    size = default_stack_size;
  return size;
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument) {
  if (!next_create)
    next_create = (create_function *)qprof_next("pthread_create");
  bool listed = following && qprof_register_process();
  uint32_t slot = listed ? qprof_claim_cpu_slot(0) : QPROF_NO_INDEX;
  if (slot == QPROF_NO_INDEX)
    return next_create(thread, attributes, start, argument);
  struct qprof_thread *state = qprof_thread_at(slot);
  state->start = start;
  state->argument = argument;
  state->armed = false;
  state->stack = (struct qprof_stack){0, stack_size(attributes)};
  int result = next_create(thread, attributes, run, (void *)(uintptr_t)slot);
  if (result != 0)
    qprof_release_slot(slot);
  return result;
}

// While a fork is under way its child may not be in /proc yet, where the recorder looks for
// processes before it ends.
static void before_fork(void) {
  __atomic_fetch_add(&qprof_session->forks_begun, 1, __ATOMIC_RELEASE);
  __atomic_fetch_add(&qprof_session->forks_pending, 1, __ATOMIC_RELEASE);
}

static void after_fork_in_parent(void) {
  __atomic_fetch_sub(&qprof_session->forks_pending, 1, __ATOMIC_RELEASE);
}

// Most children exec at once. All that they pay for is the timer: a row and a slot are claimed at
// the first tick, since touching the session would cost the child its page faults.
static void after_fork_in_child(void) {
  void *value = pthread_getspecific(slot_key);
  struct qprof_thread *thread = value ? thread_of(value) : NULL;
  pthread_setspecific(slot_key, of_forked_thread); // the parent's slot stays the parent's
  qprof_arm_forked(thread ? thread->stack : (struct qprof_stack){0, 0});
}

void qprof_follow_threads(void) {
  pthread_attr_t attributes;
  if (pthread_getattr_default_np(&attributes) == 0) {
    pthread_attr_getstacksize(&attributes, &default_stack_size);
    pthread_attr_destroy(&attributes);
  }
  if (pthread_key_create(&slot_key, thread_ends) != 0)
    return;
  next_create = (create_function *)qprof_next("pthread_create");
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  following = true;
}

// Unloading is announced before it happens: the mappings as they are now, then a new generation,
// so that stacks through the object can still be read. dlopen is left alone: it looks at its
// caller, and a wrapper would change what it finds.
EXPORT int dlclose(void *handle) {
  static int (*next)(void *);
  if (!next)
    next = (int (*)(void *))qprof_next("dlclose");
  if (!following || !qprof_register_process())
    return next(handle);
  uint32_t slot = qprof_slot_for_maps();
  if (slot != QPROF_NO_INDEX)
    qprof_write_maps(slot);
  __atomic_fetch_add(&qprof_process->generation, 1, __ATOMIC_RELEASE);
  int result = next(handle);
  // Until then the object's destructors may have run.
  __atomic_fetch_add(&qprof_process->generation, 1, __ATOMIC_RELEASE);
  return result;
}
