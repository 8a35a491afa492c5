// Inside the sampler agent.

#ifndef QPROF_SAMPLER_H
#define QPROF_SAMPLER_H

#include <agent_core.h>
#include <signal.h>

#define EXPORT __attribute__((visibility("default")))

// The signal of the profilers. Programs that use it themselves keep it: see signals.c.
#define QPROF_SIGNAL SIGPROF

// What the agent knows of the thread behind a slot. Private to the process, so that nothing in
// the shared file can lead the agent to read or run anything.
struct qprof_thread {
  uint32_t generation; // of the slot when it was armed; a late signal carries an older one
  int32_t timer;       // kernel's id
  bool armed;
  struct qprof_stack stack;
  void *(*start)(void *);
  void *argument;
};

struct qprof_thread *qprof_thread_at(uint32_t slot);

// Creates and starts the CPU timer of thread `tid` for `slot`. Async-signal-safe.
void qprof_arm(uint32_t slot, int32_t tid, struct qprof_stack stack);
void qprof_disarm(struct qprof_thread *thread);

// In the child of a fork: starts the timer of its one thread, which has no slot yet.
void qprof_arm_forked(struct qprof_stack stack);
struct qprof_thread *qprof_forked_thread(void);

// Slot of that thread, QPROF_NO_INDEX until its first tick.
uint32_t qprof_forked_slot(void);

// Attaches this program to its session and claims its row there, unless that was done. False when
// there is nothing to record. Also before any constructor has run.
bool qprof_begin(void);

// A slot for the CPU samples of a thread. QPROF_NO_INDEX where none are wanted, or, counted, none
// is free. Async-signal-safe.
uint32_t qprof_claim_cpu_slot(int32_t tid);

// Claims a row in the session for a forked process that has none yet. False when that failed, or
// is under way further up this very stack. Async-signal-safe.
bool qprof_register_process(void);

// Slot of the calling thread, or QPROF_NO_INDEX. Not async-signal-safe.
uint32_t qprof_current_slot(void);
void qprof_set_current_slot(uint32_t slot);

// Set by the heap agent: the slot in which it tracks the calling thread, or QPROF_NO_INDEX.
extern uint32_t (*qprof_tracker_slot)(void);

// Where the calling thread can tell the recorder of its mappings, or QPROF_NO_INDEX.
uint32_t qprof_slot_for_maps(void);

void qprof_follow_threads(void); // installs the thread and fork hooks
bool qprof_take_signal(void (*handler)(int, siginfo_t *, void *));
void qprof_forward_signal(int number, siginfo_t *info, void *context);

// The next definition of a function this library interposes.
void *qprof_next(const char *name);

#endif
