// Shared by the agents: the session, its slots and rings, and the copying of stacks.
// Nothing here is interposed, so that tests can link it.

#ifndef QPROF_AGENT_CORE_H
#define QPROF_AGENT_CORE_H

#include <agent_wire.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

#define QPROF_NO_INDEX UINT32_MAX

// Bounds of a thread's stack. `high` is zero when they are not known.
struct qprof_stack {
  uintptr_t low;
  uintptr_t high;
};

// The session of this process, or null when it has none.
extern struct qprof_session *qprof_session __attribute__((visibility("hidden")));
// The row of this process in the session's table.
extern struct qprof_process *qprof_process __attribute__((visibility("hidden")));

// Maps the session file that the environment names, unless that was done. False when there is none,
// or when it is not a session of this version.
bool qprof_attach(void);

// Claims a row for this process and fills it in. False when the table is full, which is counted.
// `parent_image` is the image that a forked process was forked from, 0 for one that was exec'd.
// Async-signal-safe.
bool qprof_claim_process(uint32_t parent_image);

// Claims a slot for thread `tid` of this process (0 when it is not running yet). QPROF_NO_INDEX
// when none is free, which the caller counts. Async-signal-safe.
uint32_t qprof_claim_slot(int32_t tid, enum qprof_slot_kind kind);

struct qprof_slot *qprof_slot_at(uint32_t index);
char *qprof_ring_at(uint32_t index);

// Hands the slot to the recorder, which drains and frees it.
void qprof_release_slot(uint32_t index);

// Returns room for a record of `size` bytes (a multiple of 8) in the slot's ring, or null when
// the ring is full. Nothing is visible to the recorder before qprof_commit.
struct qprof_record *qprof_reserve(uint32_t slot, uint32_t size);
void qprof_commit(uint32_t slot, struct qprof_record *record);

// Copies the interrupted registers and live stack into the slot's ring as one record. Counts it
// as lost when the ring is full. Async-signal-safe.
void qprof_write_sample(uint32_t slot, const ucontext_t *context, const struct qprof_stack *stack,
                        int64_t time_ns, uint32_t weight);

// Writes the executable mappings of all loaded objects into the slot's ring, in the format of
// /proc/self/maps. Best effort: the recorder also reads that file itself while the process lives.
// Not from a signal handler.
void qprof_write_maps(uint32_t slot);

int64_t qprof_now(void);
int32_t qprof_gettid(void);

// The recorder has ended, or has asked for silence.
bool qprof_should_stop(int64_t now);

#endif
