// The program's own changes of its address space. They are few: each is a whole record.

#include "heap.h"

void qprof_note_region(enum qprof_region_event event, const void *address, uint64_t length,
                       const uint64_t *frame) {
  if (qprof_mode == 0)
    return;
  struct heap_thread *thread = qprof_begin_event();
  if (!thread)
    return;
  if (qprof_mode == QPROF_HEAP_COUNT) {
    qprof_end_event(thread);
    return;
  }
  uint32_t stack = qprof_stack_index(thread, frame);
  struct qprof_region_record *record =
      (struct qprof_region_record *)qprof_room(thread, sizeof *record);
  if (record) {
    qprof_take_off(thread);
    uint64_t time = qprof_time(event == QPROF_REGION_MAPPED);
    *record = (struct qprof_region_record){
        .record = {.size = sizeof *record, .kind = QPROF_RECORD_REGION, .flags = (uint16_t)event},
        .time = time,
        .address = (uintptr_t)address,
        .length = length,
        .stack = stack};
    qprof_publish(thread, sizeof *record);
    qprof_land(thread, time);
  }
  qprof_end_event(thread);
}
