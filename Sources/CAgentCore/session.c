#include "agent_core.h"
#include "syscalls.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

// How long the recorder may be silent before its pid is checked, and before it counts as gone
// whatever the pid says (it may belong to another PID namespace, or to somebody else by now).
static const int64_t quiet_ns = 2000000000, gone_ns = 60000000000;

struct qprof_session *qprof_session;
struct qprof_process *qprof_process;

int64_t qprof_now(void) {
  struct timespec now = {0, 0};
  qprof_syscall3(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int32_t qprof_gettid(void) { return (int32_t)qprof_syscall3(SYS_gettid, 0, 0, 0); }

bool qprof_attach(void) {
  if (qprof_session)
    return true;
  // Null while the loader itself allocates, before the C library is set up.
  const char *path = environ ? getenv(QPROF_ENV_SESSION) : NULL;
  if (!path)
    return false;
  long file = qprof_syscall4(SYS_openat, AT_FDCWD, (long)path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
  if (file < 0)
    return false;
  const size_t map_size = QPROF_PAGE + QPROF_MAX_PROCESSES * sizeof(struct qprof_process) +
                          QPROF_MAX_SLOTS * sizeof(struct qprof_slot) +
                          (size_t)QPROF_MAX_SLOTS * QPROF_RING_SIZE;
  long address =
      qprof_syscall6(SYS_mmap, 0, (long)map_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  qprof_syscall3(SYS_close, file, 0, 0);
  if (address < 0)
    return false;
  struct qprof_session *session = (struct qprof_session *)address;
  if (session->magic != QPROF_WIRE_MAGIC || session->version != QPROF_WIRE_VERSION ||
      session->map_size != map_size) {
    qprof_syscall3(SYS_munmap, address, (long)map_size, 0);
    return false;
  }
  qprof_session = session;
  return true;
}

static struct qprof_process *process_at(uint32_t index) {
  return (struct qprof_process *)((char *)qprof_session + QPROF_PAGE) + index;
}

struct qprof_slot *qprof_slot_at(uint32_t index) {
  return (struct qprof_slot *)((char *)qprof_session + QPROF_PAGE +
                               QPROF_MAX_PROCESSES * sizeof(struct qprof_process)) +
         index;
}

static uint32_t *process_link(uint32_t index) { return &process_at(index)->next_free; }
static uint32_t *slot_link(uint32_t index) { return &qprof_slot_at(index)->next_free; }

// Takes the first row off a free list. The tag in the upper half makes the exchange fail when the
// list was popped and pushed meanwhile.
static uint32_t pop(uint64_t *list, uint32_t limit, uint32_t *(*link)(uint32_t)) {
  uint64_t head = __atomic_load_n(list, __ATOMIC_ACQUIRE);
  for (;;) {
    uint32_t first = (uint32_t)head;
    if (first == 0 || first > limit)
      return QPROF_NO_INDEX;
    uint32_t next = __atomic_load_n(link(first - 1), __ATOMIC_RELAXED);
    uint64_t new_head = (((head >> 32) + 1) << 32) | next;
    if (__atomic_compare_exchange_n(list, &head, new_head, true, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
      return first - 1;
  }
}

bool qprof_claim_process(uint32_t parent_image) {
  uint32_t index = pop(&qprof_session->free_processes, QPROF_MAX_PROCESSES, process_link);
  if (index == QPROF_NO_INDEX) {
    __atomic_fetch_add(&qprof_session->processes_refused, 1, __ATOMIC_RELAXED);
    return false;
  }
  struct qprof_process *process = process_at(index);
  process->pid = (int32_t)qprof_syscall3(SYS_getpid, 0, 0, 0);
  process->parent_pid = (int32_t)qprof_syscall3(SYS_getppid, 0, 0, 0);
  process->image = __atomic_add_fetch(&qprof_session->images, 1, __ATOMIC_RELAXED);
  process->parent_image = parent_image;
  process->generation = process->ticks = 0;
  process->no_slot = process->no_timer = process->no_heap_slot = 0;
  process->heap_flags = 0;
  process->agent_bytes = 0;
  process->wanted = 0;
  process->start_ns = qprof_now();
  qprof_syscall3(SYS_prctl, PR_GET_NAME, (long)process->name, 0);
  __atomic_store_n(&process->state, QPROF_PROCESS_LIVE, __ATOMIC_RELEASE);
  qprof_process = process;
  return true;
}

uint32_t qprof_claim_slot(int32_t tid, enum qprof_slot_kind kind) {
  uint32_t index = pop(&qprof_session->free_slots, QPROF_MAX_SLOTS, slot_link);
  if (index == QPROF_NO_INDEX)
    return index;
  struct qprof_slot *slot = qprof_slot_at(index);
  slot->process = (uint32_t)(qprof_process - process_at(0));
  slot->tid = tid;
  slot->generation++;
  slot->busy = 0;
  slot->full_events = slot->full_weight = slot->busy_events = slot->busy_weight = 0;
  slot->safe_copies = 0;
  slot->kind = kind;
  slot->waiting = 0;
  slot->in_flight_since = 0;
  slot->lost = slot->unfollowed = 0;
  slot->allocations = slot->bytes = slot->frees = slot->failed = slot->reentrant = 0;
  __atomic_store_n(&slot->state, tid ? QPROF_SLOT_LIVE : QPROF_SLOT_CLAIMED, __ATOMIC_RELEASE);
  return index;
}

void qprof_release_slot(uint32_t index) {
  __atomic_store_n(&qprof_slot_at(index)->state, QPROF_SLOT_DEAD, __ATOMIC_RELEASE);
}

bool qprof_should_stop(int64_t now) {
  if (__atomic_load_n(&qprof_session->stop, __ATOMIC_RELAXED))
    return true;
  int64_t silent = now - (int64_t)__atomic_load_n(&qprof_session->heartbeat_ns, __ATOMIC_RELAXED);
  if (silent < quiet_ns)
    return false;
  return silent > gone_ns ||
         qprof_syscall3(SYS_kill, qprof_session->recorder_pid, 0, 0) == -3 /* ESRCH */;
}
