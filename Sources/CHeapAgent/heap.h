// Inside the heap agent.

#ifndef QPROF_HEAP_H
#define QPROF_HEAP_H

#include <agent_core.h>
#include <unwind_walk.h>
#include <x86intrin.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// Of stacks that a thread has told the recorder of: sets of four, found by the stack's hash.
enum { qprof_stack_sets = 8192, qprof_stack_ways = 4 };
enum { qprof_pool_size = 16 * 1024 };

// What a thread knows of itself, in a mapping of its own that the kernel wipes in a forked child:
// there `row` is null again, whatever way the child was made, and the thread begins anew.
struct heap_thread {
  struct qprof_slot *row; // null: not set up
  char *ring;
  uint32_t slot;
  uint32_t busy;         // in the middle of an event, which a signal handler may interrupt
  uint64_t last_time;    // of the thread's event before
  uintptr_t last_block;  // what it allocated, if it did
  int64_t until_drawn;   // bytes until an allocation is drawn
  uint64_t random;       // state of the generator
  uint32_t generation;   // of the process, when `stacks` was last empty
  uint32_t next_victim;  // way of a full set to overwrite
  uint32_t endings_left; // rounds of key destructors in which the thread stays set up
  bool impatient;        // the recorder let it wait in vain
  struct unwind_trail trail;
  uint64_t stacks[qprof_stack_sets * qprof_stack_ways]; // hashes; 0 for none
};

// qprof_heap_mode of the session; 0 where there is nothing to record, or no more.
enum { qprof_undecided = 255 }; // before the first call that finds the environment in place
extern uint32_t qprof_mode __attribute__((visibility("hidden")));
extern __thread struct heap_thread *qprof_heap_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

// Sets the calling thread up. Null when that is impossible, or under way further up the stack.
struct heap_thread *qprof_enter(void);

// Index of the stack that begins with the caller of the function whose `frame` is given.
uint32_t qprof_stack_index(struct heap_thread *thread, const uint64_t *frame);

// After something was unloaded: forgets what was known by address.
void qprof_forget_stacks(struct heap_thread *thread, uint32_t generation);

// The dynamic loader's code, from where objects are loaded. That is not noticed otherwise: a
// wrapper of dlopen would change what it finds.
struct qprof_loader {
  uintptr_t start;
  uintptr_t size;
  bool has_loaded; // since the mappings were told
};
extern struct qprof_loader qprof_loader __attribute__((visibility("hidden")));

static inline bool qprof_is_in_loader(uintptr_t address) {
  return address - qprof_loader.start < qprof_loader.size;
}

void qprof_find_loader(void);

// Tells the recorder of the mappings as they are now, without the loader's locks.
void qprof_tell_mappings(struct heap_thread *thread);

// Waits until the ring has room for `size` bytes, which it has not now. False when it did not come
// in time, which is counted as a lost event.
bool qprof_wait_for_room(struct heap_thread *thread, uint64_t size);

// Number of bytes that the thread allocates until the next allocation is drawn.
int64_t qprof_bytes_until_drawn(struct heap_thread *thread);
// The blocks drawn and not freed yet. There may be no room to remember one, which is counted.
void qprof_remember_drawn(struct heap_thread *thread, uintptr_t block);
bool qprof_forget_near(uintptr_t block, uint64_t hash);

// How many drawn blocks fall onto each counter. Nearly all blocks that are freed meet a zero.
enum { qprof_drawn_counters = 1 << 16 };
extern uint8_t qprof_drawn_near[qprof_drawn_counters] __attribute__((visibility("hidden")));

static inline uint64_t qprof_hash_of_block(uintptr_t block) {
  return (uint64_t)block * 0x9E3779B97F4A7C15ull;
}

// Whether `block` was drawn; it is no longer remembered.
static inline bool qprof_forget_drawn(uintptr_t block) {
  uint64_t hash = qprof_hash_of_block(block);
  return UNLIKELY(__atomic_load_n(&qprof_drawn_near[hash >> 48], __ATOMIC_RELAXED)) &&
         qprof_forget_near(block, hash);
}

void qprof_note_region(enum qprof_region_event event, const void *address, uint64_t length,
                       const uint64_t *frame);

extern char qprof_pool[qprof_pool_size] __attribute__((visibility("hidden")));
static inline bool qprof_is_in_pool(const void *block) {
  return (uintptr_t)block - (uintptr_t)qprof_pool < qprof_pool_size;
}
// Whether a call of malloc comes here.
bool qprof_malloc_is_ours(void);
void *qprof_move_from_pool(void *block, size_t size);

// The calling thread, ready to write an event, or null. To be followed by qprof_done.
static inline struct heap_thread *qprof_begin_event(void) {
  struct heap_thread *thread = qprof_heap_thread;
  if (UNLIKELY(!thread || !thread->row)) {
    thread = qprof_enter();
    if (!thread)
      return NULL;
  }
  if (UNLIKELY(thread->busy)) {
    thread->row->reentrant++;
    return NULL;
  }
  thread->busy = 1;
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  return thread;
}

static inline void qprof_end_event(struct heap_thread *thread) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  thread->busy = 0;
}

// glibc's: no second thread was ever started.
extern char __libc_single_threaded;

// A position in the order of all threads' events. An allocation's must not be read before the
// allocator is through, where the block may have come from another thread.
static inline uint64_t qprof_time(bool is_allocation) {
  if (UNLIKELY(qprof_session->flags & QPROF_ORDER_COUNTED))
    return __atomic_add_fetch(&qprof_session->order, 1, __ATOMIC_ACQ_REL);
  if (is_allocation && !__libc_single_threaded)
    _mm_lfence();
  return __rdtsc() - qprof_session->clock_origin;
}

// The ring's lines are in the recorder's cache, which has read them. They are fetched for writing
// some events before they are written: a processor whose cores share no cache takes 100 ns a line.
static inline void qprof_fetch_ahead(const struct heap_thread *thread, uint32_t position) {
  enum { distance = 512 };
  const char *line = thread->ring + (position + distance) % QPROF_RING_SIZE;
  __asm__ volatile("prefetchw %0" : : "m"(*line)); // __builtin_prefetch would fetch for reading
}

// Room for `size` bytes at the head of the ring, or null, counted. Nothing is visible to the
// recorder before qprof_publish.
static inline uint64_t *qprof_room(struct heap_thread *thread, uint32_t size) {
  struct qprof_slot *row = thread->row;
  for (;;) {
    uint64_t head = row->head;
    uint32_t position = (uint32_t)(head % QPROF_RING_SIZE);
    uint32_t to_end = QPROF_RING_SIZE - position;
    uint64_t needed = LIKELY(size <= to_end) ? size : (uint64_t)to_end + size;
    if (UNLIKELY(head - __atomic_load_n(&row->tail, __ATOMIC_ACQUIRE) + needed > QPROF_RING_SIZE)) {
      if (!qprof_wait_for_room(thread, needed))
        return NULL;
      continue;
    }
    if (LIKELY(size <= to_end)) {
      qprof_fetch_ahead(thread, position);
      return (uint64_t *)(thread->ring + position);
    }
    struct qprof_record *pad = (struct qprof_record *)(thread->ring + position);
    pad->size = to_end;
    pad->kind = QPROF_RECORD_PAD;
    __atomic_store_n(&row->head, head + to_end, __ATOMIC_RELEASE);
  }
}

static inline void qprof_publish(struct heap_thread *thread, uint32_t size) {
  __atomic_store_n(&thread->row->head, thread->row->head + size, __ATOMIC_RELEASE);
}

// Brackets the reading of an event's time and its writing: see `in_flight_since`.
static inline void qprof_take_off(struct heap_thread *thread) {
  __atomic_store_n(&thread->row->in_flight_since, thread->last_time | 1, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void qprof_land(struct heap_thread *thread, uint64_t time) {
  thread->last_time = time;
  __atomic_store_n(&thread->row->in_flight_since, 0, __ATOMIC_RELEASE);
}

#endif
