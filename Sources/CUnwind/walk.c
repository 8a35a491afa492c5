#include "live.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

static const uint64_t odd = 0x9e3779b97f4a7c15;

// ---- Rows as one number, so that a walk tests what it needs of one with few instructions.

union packed_row {
  struct unwind_row row;
  uint64_t bits;
};

// The rows of nearly all frames: rsp or rbp plus an offset, the return address below that, and rbp
// the same or saved relative to it.
static bool is_simple(uint64_t bits) {
  return (bits >> 48 & 0xeeff) == 0x00ff; // one bit each is left of cfa and rbp; words is -1
}
static bool is_on_rbp(uint64_t bits) { return bits >> 56 & 1; }
static bool saves_rbp(uint64_t bits) { return bits >> 60 & 1; }
static uint64_t cfa_offset(uint64_t bits) { return (uint64_t)(int64_t)(int32_t)bits; }
static uint64_t rbp_offset(uint64_t bits) { return (uint64_t)(int64_t)(int16_t)(bits >> 32); }

_Static_assert(UNWIND_CFA_RSP == 0 && UNWIND_CFA_RBP == 1, "is_simple");
_Static_assert(UNWIND_RBP_SAME == 0 && UNWIND_RBP_AT_CFA == 1, "is_simple");

// ---- The cache: sets of two entries that lie side by side.

static uint64_t check_of(uint64_t key, uint64_t bits) { return key ^ bits * odd; }

static struct unwind_cache_entry *place_of(const struct unwind_cache *cache, uint64_t key) {
  return &cache->entries[(key ^ key >> 13) & cache->mask];
}

static struct unwind_cache_entry *beside(struct unwind_cache_entry *entry) {
  return (struct unwind_cache_entry *)((uintptr_t)entry ^ sizeof(struct unwind_cache_entry));
}

static bool holds(const struct unwind_cache_entry *entry, uint64_t key, uint64_t *bits) {
  *bits = __atomic_load_n(&entry->row, __ATOMIC_RELAXED);
  return __atomic_load_n(&entry->check, __ATOMIC_RELAXED) == check_of(key, *bits);
}

static void put(struct unwind_cache_entry *entry, uint64_t check, uint64_t bits) {
  __atomic_store_n(&entry->check, check, __ATOMIC_RELAXED);
  __atomic_store_n(&entry->row, bits, __ATOMIC_RELAXED);
}

// The newest row takes the first place, and what was there the second.
__attribute__((noinline)) static uint64_t make_row(struct unwind_cache_entry *first, uint64_t key,
                                                   uint64_t address) {
  union packed_row row = {unwind_live_row(address)};
  put(beside(first), __atomic_load_n(&first->check, __ATOMIC_RELAXED),
      __atomic_load_n(&first->row, __ATOMIC_RELAXED));
  put(first, check_of(key, row.bits), row.bits);
  return row.bits;
}

static inline uint64_t row_for(const struct unwind_cache *cache, uint64_t generation,
                               uint64_t address) {
  uint64_t key = generation | address;
  struct unwind_cache_entry *first = place_of(cache, address);
  uint64_t bits;
  if (__builtin_expect(holds(first, key, &bits), 1) || holds(beside(first), key, &bits))
    return bits;
  return make_row(first, key, address);
}

// ---- The walk.

struct walk {
  const struct unwind_cache *cache;
  uint64_t generation; // as in keys
  struct unwind_window window;
};

static bool load(void *context, uint64_t address, uint64_t *value) {
  struct walk *walk = (struct walk *)context;
  if (!unwind_reach(&walk->window, address))
    return false;
  *value = *(const word *)address;
  return true;
}

static bool can_return_to(void *context, uint64_t address) {
  struct walk *walk = (struct walk *)context;
  union packed_row row = {.bits = row_for(walk->cache, walk->generation, address - 1)};
  return row.row.cfa != UNWIND_NO_CODE;
}

// Any step, also one that leaves the window or goes to another stack.
__attribute__((noinline)) static enum unwind_ending step(struct walk *walk, uint64_t bits,
                                                         struct unwind_frame *frame) {
  union packed_row row = {.bits = bits};
  struct unwind_memory memory = {load, can_return_to, walk};
  enum unwind_ending ending = unwind_step(row.row, frame, &memory);
  if (ending == UNWIND_CONTINUES && row.row.cfa == UNWIND_SIGNAL_RETURN &&
      (frame->rsp < walk->window.low || frame->rsp >= walk->window.high))
    unwind_enter(&walk->window, frame->rsp);
  return ending;
}

// The same for a simple row whose words are in the window. False leaves all to `step`.
static inline bool step_quickly(uint64_t bits, struct unwind_frame *frame,
                                const struct unwind_window *window) {
  uint64_t cfa = (is_on_rbp(bits) ? frame->rbp : frame->rsp) + cfa_offset(bits);
  uint64_t saved = cfa + rbp_offset(bits);
  if (!is_simple(bits) || cfa < frame->rsp + 8 || cfa > window->high || saved < window->low ||
      saved > window->high - 8)
    return false;
  uint64_t pc = *(const word *)(cfa - 8);
  if (__builtin_expect((pc - 1) >> 47 != 0, 0))
    return false;
  uint64_t rbp = *(const word *)saved;
  frame->rbp = saves_rbp(bits) ? rbp : frame->rbp;
  frame->rsp = cfa;
  frame->pc = pc;
  return true;
}

unsigned unwind_walk(struct unwind_cache *cache, struct unwind_frame start,
                     struct unwind_window *readable, uint64_t *frames, unsigned max,
                     struct unwind_result *result) {
  uint64_t generation = (uint64_t)__atomic_load_n(&cache->generation, __ATOMIC_RELAXED) << 48;
  struct walk walk = {cache, generation, *readable};
  struct unwind_frame frame = start;
  uint64_t hash = 0;
  unsigned count = 0;
  enum unwind_ending ending = UNWIND_CONTINUES;
  if (frame.rsp < walk.window.low || frame.rsp >= walk.window.high)
    unwind_enter(&walk.window, frame.rsp);
  while (count < max) {
    frames[count++] = frame.pc;
    hash = (hash ^ frame.pc) * odd;
    uint64_t bits = row_for(cache, generation, unwind_lookup_address(frame.pc));
    if (__builtin_expect(step_quickly(bits, &frame, &walk.window), 1))
      continue;
    ending = step(&walk, bits, &frame);
    if (ending != UNWIND_CONTINUES)
      break;
  }
  *readable = walk.window;
  result->hash = hash ^ hash >> 32;
  result->ending = ending == UNWIND_CONTINUES ? UNWIND_TOO_DEEP : ending;
  return count;
}
