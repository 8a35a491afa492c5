// Setting threads up, their end, and waiting for the recorder.

#include "../CAgentCore/syscalls.h"
#include "../CSamplerAgent/sampler.h"
#include "heap.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

uint32_t qprof_mode = qprof_undecided;
__thread struct heap_thread *qprof_heap_thread;

static __thread bool entering __attribute__((tls_model("initial-exec")));
static __thread bool refused __attribute__((tls_model("initial-exec"))); // no slot was free
static pthread_key_t thread_key;
static bool has_key;

// While it waits for a slot or for room, a thread sleeps this long at a time, and no longer in all.
static const int64_t nap_ns = 1000000, longest_wait_ns = 1000000000;

static void nap(void) {
  struct timespec time = {0, nap_ns};
  qprof_syscall3(SYS_nanosleep, (long)&time, 0, 0);
}

// The recorder makes more slots when most are taken, and frees those of threads that ended.
static uint32_t claim_slot(void) {
  uint32_t slot = qprof_claim_slot(qprof_gettid(), QPROF_SLOT_HEAP);
  if (slot != QPROF_NO_INDEX || refused)
    return slot;
  for (int64_t waited = 0; waited < longest_wait_ns / 10; waited += nap_ns) {
    if (qprof_should_stop(qprof_now()))
      break;
    nap();
    slot = qprof_claim_slot(qprof_gettid(), QPROF_SLOT_HEAP);
    if (slot != QPROF_NO_INDEX)
      return slot;
  }
  refused = true;
  __atomic_fetch_add(&qprof_process->no_heap_slot, 1, __ATOMIC_RELAXED);
  return QPROF_NO_INDEX;
}

static struct heap_thread *map_thread(void) {
  size_t size = sizeof(struct heap_thread);
  long address = qprof_syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address < 0)
    return NULL;
  if (qprof_syscall3(SYS_madvise, address, (long)size, MADV_WIPEONFORK) < 0) {
    qprof_syscall3(SYS_munmap, address, (long)size, 0);
    return NULL;
  }
  __atomic_fetch_add(&qprof_process->agent_bytes, size, __ATOMIC_RELAXED);
  return (struct heap_thread *)address;
}

// Runs when a thread ends, and again after the other keys' destructors of that round: they may
// free and allocate.
static void thread_ends(void *value) {
  struct heap_thread *thread = value;
  if (thread != qprof_heap_thread || !thread->row)
    return; // of a thread that this process was forked beside
  if (thread->endings_left-- > 0) {
    pthread_setspecific(thread_key, thread);
    return;
  }
  qprof_heap_thread = NULL;
  qprof_release_slot(thread->slot);
  qprof_syscall3(SYS_munmap, (long)thread, sizeof *thread, 0);
  __atomic_fetch_sub(&qprof_process->agent_bytes, sizeof *thread, __ATOMIC_RELAXED);
}

// Nothing will be recorded here any more.
static struct heap_thread *switch_off(void) {
  qprof_mode = 0;
  return NULL;
}

static struct heap_thread *set_up(void) {
  if (!qprof_begin())
    return qprof_session ? switch_off() : NULL; // the environment may not be there yet
  if (!(qprof_session->flags & QPROF_TRACKS_HEAP))
    return switch_off();
  qprof_mode = qprof_session->heap_mode;
  if (!qprof_register_process())
    return NULL;
  bool is_forked = qprof_heap_thread != NULL;
  struct heap_thread *thread = is_forked ? qprof_heap_thread : map_thread();
  uint32_t slot = thread ? claim_slot() : QPROF_NO_INDEX;
  if (slot == QPROF_NO_INDEX)
    return NULL;
  thread->slot = slot;
  thread->ring = qprof_ring_at(slot);
  thread->generation = qprof_process->generation;
  if (is_forked) // the thread may not have seen the last unloading before the fork
    qprof_forget_stacks(thread, thread->generation);
  thread->random = (__rdtsc() ^ (uint64_t)qprof_gettid() << 32) | 1;
  thread->until_drawn = qprof_bytes_until_drawn(thread);
  thread->endings_left = PTHREAD_DESTRUCTOR_ITERATIONS - 1;
  thread->row = qprof_slot_at(slot);
  qprof_heap_thread = thread;
  if (!has_key)
    has_key = pthread_key_create(&thread_key, thread_ends) == 0;
  if (has_key)
    pthread_setspecific(thread_key, thread);
  static bool has_told_maps; // and a forked process has its parent's
  if (!has_told_maps) {
    has_told_maps = true;
    qprof_write_maps(slot);
  }
  return thread;
}

struct heap_thread *qprof_enter(void) {
  if (entering)
    return NULL;
  int saved = errno;
  entering = true;
  struct heap_thread *thread = set_up();
  entering = false;
  errno = saved;
  return thread;
}

bool qprof_wait_for_room(struct heap_thread *thread, uint64_t size) {
  struct qprof_slot *row = thread->row;
  int64_t start = qprof_now();
  for (;;) {
    uint32_t drained = __atomic_load_n(&row->drained, __ATOMIC_ACQUIRE);
    __atomic_store_n(&row->waiting, 1, __ATOMIC_SEQ_CST);
    if (row->head - __atomic_load_n(&row->tail, __ATOMIC_SEQ_CST) + size <= QPROF_RING_SIZE) {
      thread->impatient = false;
      row->waiting = 0;
      return true;
    }
    int64_t now = qprof_now();
    if (qprof_should_stop(now)) {
      qprof_mode = 0;
      return false;
    }
    if (thread->impatient || now - start > longest_wait_ns) {
      thread->impatient = true;
      row->lost++;
      row->waiting = 0;
      return false;
    }
    struct timespec timeout = {0, 20 * nap_ns};
    qprof_syscall6(SYS_futex, (long)&row->drained, FUTEX_WAIT, drained, (long)&timeout, 0, 0);
  }
}

static uint32_t tracker_slot(void) {
  struct heap_thread *thread = qprof_heap_thread;
  return thread && thread->row ? thread->slot : QPROF_NO_INDEX;
}

// A program that defines malloc itself does not call ours, and neither do its libraries.
__attribute__((constructor)) static void look_at_the_program(void) {
  if (!qprof_begin() || !(qprof_session->flags & QPROF_TRACKS_HEAP)) {
    switch_off();
    return;
  }
  qprof_tracker_slot = tracker_slot;
  qprof_find_loader();
  if (!qprof_malloc_is_ours())
    __atomic_fetch_or(&qprof_process->heap_flags, QPROF_HEAP_FOREIGN, __ATOMIC_RELAXED);
}
