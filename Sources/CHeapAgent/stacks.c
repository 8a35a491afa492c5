// Stacks by number. A thread remembers the hashes of those it has told the recorder of; a hash has
// 64 bits, so that among a million stacks two are taken for one with a chance of 3 in 10^8.

#include "heap.h"

// Shared by all threads of the process.
enum { cached_rows = 1 << 16 };
static struct unwind_cache_entry rows[cached_rows] __attribute__((aligned(64)));
static struct unwind_cache cache = {rows, cached_rows - 1, 0};

_Static_assert(UNWIND_COMPLETE - 1 == QPROF_STACK_COMPLETE, "endings");
_Static_assert(UNWIND_NO_INFO - 1 == QPROF_STACK_NO_UNWIND_INFO, "endings");
_Static_assert(UNWIND_NOT_SUPPORTED - 1 == QPROF_STACK_NOT_EXPRESSIBLE, "endings");
_Static_assert(UNWIND_BROKEN_CHAIN - 1 == QPROF_STACK_BROKEN_CHAIN, "endings");
_Static_assert(UNWIND_UNREADABLE - 1 == QPROF_STACK_UNREADABLE, "endings");
_Static_assert(UNWIND_TOO_DEEP - 1 == QPROF_STACK_TOO_DEEP, "endings");
_Static_assert(UNWIND_TRAIL == QPROF_MAX_FRAMES, "the deepest stack");
_Static_assert(UNWIND_EXACT == QPROF_FRAME_EXACT, "frames go into the ring as they are");

void qprof_forget_stacks(struct heap_thread *thread, uint32_t generation) {
  for (uint32_t i = 0; i < qprof_stack_sets * qprof_stack_ways; i++)
    thread->stacks[i] = 0;
  thread->generation = generation;
  unwind_forget(&cache); // a walk that is under way puts its rows with those forgotten
}

// False when the stack could not be told.
static bool tell(struct heap_thread *thread, uint32_t index, unsigned count, unsigned ending) {
  struct qprof_stack_record *record;
  uint32_t size = (uint32_t)(sizeof *record + count * sizeof record->frames[0]);
  record = (struct qprof_stack_record *)qprof_room(thread, size);
  if (!record)
    return false;
  record->record = (struct qprof_record){.size = size,
                                         .kind = QPROF_RECORD_STACK,
                                         .flags = (uint16_t)ending,
                                         .payload = count,
                                         .time_ns = 0};
  record->index = index;
  record->generation = thread->generation;
  const uint64_t *frames = &thread->trail.pc[thread->trail.first];
  for (unsigned i = 0; i < count; i++)
    record->frames[i] = frames[i];
  qprof_publish(thread, size);
  return true;
}

uint32_t qprof_stack_index(struct heap_thread *thread, const uint64_t *frame) {
  uint32_t generation = __atomic_load_n(&qprof_process->generation, __ATOMIC_ACQUIRE);
  if (UNLIKELY(generation != thread->generation))
    qprof_forget_stacks(thread, generation);
  struct unwind_result result;
  unsigned count =
      unwind_walk(&cache, &thread->trail, &result, frame[1], (uint64_t)(frame + 2), frame[0]);
  uint64_t hash = result.hash | 1;
  uint64_t *set = &thread->stacks[(hash >> 40) % qprof_stack_sets * qprof_stack_ways];
  for (uint32_t way = 0; way < qprof_stack_ways; way++)
    if (LIKELY(set[way] == hash))
      return (uint32_t)(set + way - thread->stacks);
  uint32_t way = 0;
  while (way < qprof_stack_ways && set[way] != 0)
    way++;
  if (way == qprof_stack_ways)
    way = thread->next_victim++ % qprof_stack_ways;
  uint32_t index = (uint32_t)(set + way - thread->stacks);
  if (UNLIKELY(qprof_loader.has_loaded) && !qprof_is_in_loader(frame[1])) {
    qprof_loader.has_loaded = false;
    qprof_tell_mappings(thread); // before the stacks that may lead through what is new
  }
  // Where the recorder does not learn of it, the event after this is lost too, or wrong.
  set[way] = tell(thread, index, count, result.ending - 1) ? hash : 0;
  return index;
}
