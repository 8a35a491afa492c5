#include "agent_core.h"

char *qprof_ring_at(uint32_t slot) {
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
    return (struct qprof_record *)(qprof_ring_at(index) + position);
  struct qprof_record *pad = (struct qprof_record *)(qprof_ring_at(index) + position);
  pad->size = to_end; // at least 8 bytes: size, kind and flags fit
  pad->kind = QPROF_RECORD_PAD;
  __atomic_store_n(&slot->head, head + to_end, __ATOMIC_RELEASE);
  return (struct qprof_record *)qprof_ring_at(index);
}

void qprof_commit(uint32_t index, struct qprof_record *record) {
  struct qprof_slot *slot = qprof_slot_at(index);
  __atomic_store_n(&slot->head, slot->head + record->size, __ATOMIC_RELEASE);
}
