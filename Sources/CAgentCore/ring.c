#include "agent_core.h"
#include "syscalls.h"
#include <fcntl.h>

static char *ring_at(uint32_t slot) {
  return (char *)qprof_session + QPROF_PAGE + QPROF_MAX_PROCESSES * sizeof(struct qprof_process) +
         QPROF_MAX_SLOTS * sizeof(struct qprof_slot) + (size_t)slot * QPROF_RING_SIZE;
}

// A record is contiguous: one that would cross the end of the ring starts over at its beginning,
// and a pad record tells the recorder to skip.
struct qprof_record *qprof_reserve(uint32_t index, uint32_t size) {
  struct qprof_slot *slot = qprof_slot_at(index);
  uint64_t head = slot->head;
  uint64_t tail = __atomic_load_n(&slot->tail, __ATOMIC_ACQUIRE);
  uint32_t position = (uint32_t)(head % QPROF_RING_SIZE);
  uint32_t to_end = QPROF_RING_SIZE - position;
  uint64_t needed = size <= to_end ? size : (uint64_t)to_end + size;
  if (head - tail + needed > QPROF_RING_SIZE)
    return NULL;
  if (size <= to_end)
    return (struct qprof_record *)(ring_at(index) + position);
  struct qprof_record *pad = (struct qprof_record *)(ring_at(index) + position);
  pad->size = to_end; // at least 8 bytes: size, kind and flags fit
  pad->kind = QPROF_RECORD_PAD;
  __atomic_store_n(&slot->head, head + to_end, __ATOMIC_RELEASE);
  return (struct qprof_record *)ring_at(index);
}

void qprof_commit(uint32_t index, struct qprof_record *record) {
  struct qprof_slot *slot = qprof_slot_at(index);
  __atomic_store_n(&slot->head, slot->head + record->size, __ATOMIC_RELEASE);
}

void qprof_write_maps(uint32_t index) {
  enum { chunk = 32 * 1024, chunks = 32 };
  struct qprof_slot *slot = qprof_slot_at(index);
  long file =
      qprof_syscall4(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
  if (file < 0)
    return;
  __atomic_store_n(&slot->busy, 1, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  bool more = true;
  for (int i = 0; more && i < chunks; i++) {
    struct qprof_record *record = qprof_reserve(index, sizeof *record + chunk);
    if (!record)
      break;
    uint32_t length = 0;
    while (length < chunk) { // the kernel gives at most a page at a time
      long got =
          qprof_syscall3(SYS_read, file, (long)((char *)(record + 1) + length), chunk - length);
      if (got <= 0) {
        more = false;
        break;
      }
      length += (uint32_t)got;
    }
    record->size = (uint32_t)(sizeof *record + length + 7) & ~7u;
    record->kind = QPROF_RECORD_MAPS;
    record->flags = more ? QPROF_FLAG_MORE : 0;
    record->payload = length;
    record->weight = 0;
    record->time_ns = qprof_now();
    qprof_commit(index, record);
  }
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  __atomic_store_n(&slot->busy, 0, __ATOMIC_RELAXED);
  qprof_syscall3(SYS_close, file, 0, 0);
}
