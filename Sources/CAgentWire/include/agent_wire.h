// The session file: all that the sampled processes and the recorder share.
//
//     ┌─────────────────┐ 0
//     │ qprof_session   │ one page
//     ├─────────────────┤ processes_offset
//     │ qprof_process[] │ max_processes rows of 128 bytes
//     ├─────────────────┤ slots_offset
//     │ qprof_slot[]    │ max_slots rows of 256 bytes
//     ├─────────────────┤ rings_offset
//     │ ring 0          │ ring_size bytes each; the first slots_ready rings are allocated,
//     │ ring 1 …        │ the rest of the file does not exist yet and is never touched
//     └─────────────────┘
//
// The recorder creates and allocates the file, agents only map it. Each slot belongs to one
// thread, which writes its ring from the signal handler or from the allocation functions; the
// recorder alone reads it. A thread that is sampled and tracked at once has two slots, so that a
// tick may interrupt the tracker. Fields are plain integers, accessed with atomic operations on
// both sides: `head` and `state` are stored with release and loaded with acquire order, counters
// are relaxed.

#ifndef QPROF_AGENT_WIRE_H
#define QPROF_AGENT_WIRE_H

#include <stdint.h>

#define QPROF_WIRE_MAGIC 0x31455249574650ull // "PFWIRE1"
#define QPROF_WIRE_VERSION 2u
#define QPROF_ENV_SESSION "QPROF_SESSION"

#define QPROF_PAGE 4096u
#define QPROF_MAX_PROCESSES 4096u
#define QPROF_MAX_SLOTS 4096u
#define QPROF_RING_SIZE (256u * 1024u)
#define QPROF_STACK_CAP (64u * 1024u)
#define QPROF_RED_ZONE 128u
// Of a stack with unknown bounds (a coroutine's, say) all that is readable is copied, used or not.
// This much: a ring must hold what a thread writes until the recorder's next round.
#define QPROF_UNKNOWN_STACK_CAP (16u * 1024u)

enum qprof_session_flags {
  QPROF_SAMPLES_CPU = 1,
  QPROF_TRACKS_HEAP = 2,
  // `order` is a counter that each heap event raises: the processors' time stamps do not agree.
  QPROF_ORDER_COUNTED = 4,
};

enum qprof_heap_mode {
  QPROF_HEAP_FULL = 1,   // every event, with its stack
  QPROF_HEAP_SAMPLE = 2, // totals in the slot, and events with stacks of allocations drawn
  QPROF_HEAP_COUNT = 3,  // totals in the slot
};

// Links of the free lists are indices plus one, so that zero ends a list. The head of a list
// carries a tag in its upper half that changes with every pop (no ABA).

struct qprof_session {
  uint64_t magic;
  uint32_t version;
  uint32_t max_processes;
  uint32_t max_slots;
  uint32_t ring_size;
  uint64_t processes_offset;
  uint64_t slots_offset;
  uint64_t rings_offset;
  uint64_t map_size;     // bytes an agent maps: the file at its largest
  int64_t period_ns;     // CPU time per unit of sample weight
  int64_t tick_ns;       // length of the kernel's tick
  int32_t recorder_pid;  // in the recorder's PID namespace
  uint32_t slots_ready;  // rings that are allocated
  uint64_t heartbeat_ns; // CLOCK_MONOTONIC, set by the recorder at every drain
  uint32_t stop;         // not zero: agents disarm their timers
  uint32_t forks_begun;
  uint32_t forks_pending; // forks begun whose child is not in /proc for certain yet
  uint64_t free_processes;
  uint64_t free_slots;
  uint32_t images;            // how many program images have attached
  uint32_t processes_refused; // no process row was free
  uint32_t flags;             // qprof_session_flags
  uint32_t heap_mode;         // qprof_heap_mode
  uint64_t heap_interval;     // mean number of bytes between two events drawn in QPROF_HEAP_SAMPLE
  uint64_t clock_origin;      // time stamp counter when the session began
  uint64_t order;             // last order given out, with QPROF_ORDER_COUNTED
};

enum qprof_process_state {
  QPROF_PROCESS_FREE = 0,
  QPROF_PROCESS_CLAIMED = 1, // being filled in
  QPROF_PROCESS_LIVE = 2,
  QPROF_PROCESS_EXITED = 3, // left through exit(); may still have threads running
};

struct qprof_process {
  uint32_t state;
  uint32_t next_free;
  int32_t pid;
  int32_t parent_pid;
  uint32_t image;        // order of attaching: a higher number under the same pid is a later exec
  uint32_t generation;   // raised before an object is unloaded
  uint32_t ticks;        // weight of the signals handled, so that silence shows
  uint32_t wanted;       // a thread without a slot, posted by the recorder, to be armed
  uint32_t no_slot;      // threads not sampled for want of a slot
  uint32_t no_timer;     // threads not sampled because the kernel refused a timer
  int64_t start_ns;      // CLOCK_MONOTONIC
  uint32_t parent_image; // of a forked process: the image it was forked from
  char name[16];         // as the kernel calls it, for processes gone before the recorder looks
  uint32_t heap_flags;   // qprof_process_heap_flags
  uint32_t no_heap_slot; // threads not tracked for want of a slot
  uint64_t agent_bytes;  // private memory that the heap agent has mapped
  uint8_t reserved[40];
};

enum qprof_process_heap_flags {
  QPROF_HEAP_FOREIGN = 1, // the program defines malloc itself, and calls do not reach the agent
};

enum qprof_slot_kind {
  QPROF_SLOT_CPU = 0,
  QPROF_SLOT_HEAP = 1,
};

enum qprof_slot_state {
  QPROF_SLOT_FREE = 0,
  QPROF_SLOT_CLAIMED = 1, // owned, its thread is not running yet
  QPROF_SLOT_LIVE = 2,
  QPROF_SLOT_DEAD = 3, // its thread has ended; the recorder drains and frees it
};

struct qprof_slot {
  // Written by the thread that owns the slot.
  uint32_t state;
  uint32_t next_free;
  uint32_t process; // row in the process table
  int32_t tid;
  uint32_t generation; // raised by each claim
  uint32_t busy;       // the thread is writing a record
  uint64_t head;       // bytes written since the file began, modulo nothing
  uint64_t full_events;
  uint64_t full_weight; // samples lost because the ring was full
  uint64_t busy_events;
  uint64_t busy_weight; // samples lost because the signal came while `busy`
  uint64_t safe_copies; // stacks copied through the kernel because rsp was not in a known stack
  uint32_t kind;        // qprof_slot_kind
  uint32_t waiting;     // the thread sleeps until `drained` changes
  // Not zero while an event is being written: a time that its own will not be before. Events of
  // other threads after that time have to wait.
  uint64_t in_flight_since;
  uint64_t lost; // heap events dropped
  uint8_t reserved0[32];
  // Written by the recorder.
  uint64_t tail;    // bytes read
  uint32_t drained; // raised when `tail` has moved and `waiting` was set
  uint8_t reserved1[52];
  // Totals of a thread whose allocations are tracked, written by it. In QPROF_HEAP_FULL the first
  // three are zero: the events tell.
  uint64_t allocations;
  uint64_t bytes;
  uint64_t frees;
  uint64_t failed;
  uint64_t reentrant;  // calls from signal handlers that had interrupted the agent
  uint64_t unfollowed; // blocks drawn whose release will not be seen
  uint8_t reserved2[16];
};

enum qprof_record_kind {
  QPROF_RECORD_PAD = 0,    // skip to the start of the ring
  QPROF_RECORD_SAMPLE = 1, // qprof_sample, then the bytes of its segments
  QPROF_RECORD_MAPS = 2,   // qprof_record, then lines as in /proc/self/maps
  QPROF_RECORD_STACK = 3,  // qprof_stack_record
  QPROF_RECORD_REGION = 4, // qprof_region_record
};

// Allocations are too many for a header each. Records are multiples of 8 bytes long, so the first
// word of one that has a header has three low bits of zero; where they are not, it is the first
// word of an event: `time << 3 | event`, the time in ticks of the time stamp counter since
// `clock_origin`, or an order. It is taken before a block is freed and after it is allocated, so
// sorting all threads' events by it gives an order that happened.
enum qprof_event {
  // 3 words: then `address | stack << 48`, then the size asked for. `stack` is an index of the
  // slot's own, told before by a QPROF_RECORD_STACK.
  QPROF_EVENT_ALLOCATE = 1,
  QPROF_EVENT_FREE = 2, // 2 words: then the address
  // 1 word, without a time: the thread frees what it allocated by its event before this one.
  // Only while the process has one thread, and in QPROF_HEAP_SAMPLE.
  QPROF_EVENT_FREE_LAST = 3,
  // 2 words: then the address. The thread's event before this one, a free, did not happen:
  // realloc failed.
  QPROF_EVENT_UNDO_FREE = 4,
};
#define QPROF_EVENT_TIME_SHIFT 3
#define QPROF_EVENT_STACK_SHIFT 48
#define QPROF_STACK_INDICES 65536u

enum qprof_record_flags {
  QPROF_FLAG_CAPPED = 1,     // stack longer than QPROF_STACK_CAP
  QPROF_FLAG_UNREADABLE = 2, // stack memory could not be read
};

struct qprof_record {
  uint32_t size; // whole record in bytes, header included, a multiple of 8
  uint16_t kind;
  uint16_t flags;
  uint32_t payload; // bytes of text in a maps record
  // Periods a sample stands for: 1 + si_overrun. Of a maps record: the process's generation.
  uint32_t weight;
  int64_t time_ns; // CLOCK_MONOTONIC
};

#define QPROF_REGISTERS 17
#define QPROF_SEGMENTS 2

struct qprof_segment {
  uint64_t address; // of the first byte in the target
  uint64_t size;    // bytes that follow in the record
};

// From now on, `index` stands for this stack in events of the same slot.
struct qprof_stack_record {
  struct qprof_record record; // payload: number of frames; flags: qprof_stack_ending
  uint32_t index;
  uint32_t generation; // of the process when the stack was walked: which objects were loaded
  uint64_t frames[];   // leaf first: return addresses, or, with the top bit set, exact addresses
};
#define QPROF_FRAME_EXACT (1ull << 63)
#define QPROF_MAX_FRAMES 512u

enum qprof_stack_ending {
  QPROF_STACK_COMPLETE = 0,
  QPROF_STACK_NO_UNWIND_INFO = 1,
  QPROF_STACK_NOT_EXPRESSIBLE = 2, // unwind information of a kind that rows cannot hold
  QPROF_STACK_BROKEN_CHAIN = 3,
  QPROF_STACK_UNREADABLE = 4,
  QPROF_STACK_TOO_DEEP = 5,
};

enum qprof_region_event {
  QPROF_REGION_MAPPED = 1,   // mmap: address, length
  QPROF_REGION_UNMAPPED = 2, // munmap: address, length
  QPROF_REGION_BREAK = 3,    // brk, sbrk: `length` bytes more (or, as int64_t, less)
};

// The program itself changed its address space. mremap is an unmapping and a mapping.
struct qprof_region_record {
  struct qprof_record record; // flags: qprof_region_event
  uint64_t time;              // as in an event
  uint64_t address;
  uint64_t length;
  uint64_t stack; // index
};

struct qprof_sample {
  struct qprof_record record;
  uint64_t registers[QPROF_REGISTERS]; // in DWARF order: rax rdx rcx rbx rsi rdi rbp rsp r8-r15 rip
  struct qprof_segment segments[QPROF_SEGMENTS];
};

_Static_assert(sizeof(struct qprof_session) <= QPROF_PAGE, "the session header fits its page");
_Static_assert(sizeof(struct qprof_process) == 128, "process row");
_Static_assert(sizeof(struct qprof_slot) == 256, "slot row");
_Static_assert(__builtin_offsetof(struct qprof_slot, tail) == 128, "tail has its own cache line");
_Static_assert(sizeof(struct qprof_record) == 24, "record header");
_Static_assert(sizeof(struct qprof_sample) % 8 == 0, "records stay aligned");
_Static_assert(sizeof(struct qprof_sample) + QPROF_STACK_CAP + QPROF_RED_ZONE < QPROF_RING_SIZE / 2,
               "two of the largest samples fit a ring");

#endif
