#include "live.h"
#include <stddef.h>

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

// ---- What is left of the last walk.

static uint64_t mix(uint64_t hash, uint64_t pc) {
  hash = (hash ^ pc) * odd;
  return hash ^ hash >> 29;
}

// The frames of `trail` from `index` on, whose first is the current one: whether each caller's
// return address and rbp are where they were. From the bottom up, so that nothing is read above a
// stack that ends earlier now. Otherwise `firm` says above which frame a comparison can go on.
static bool still_holds(struct unwind_trail *trail, uint32_t index) {
  for (uint32_t i = index; i + 1 < UNWIND_TRAIL; i++) {
    bool is_same = *(const word *)(trail->rsp[i + 1] - 8) == trail->pc[i + 1] &&
                   *(const word *)trail->saved[i] == trail->rbp[i + 1];
    if (__builtin_expect(!is_same, 0)) {
      trail->firm = i + 1;
      return false;
    }
  }
  return true;
}

static inline bool meets(struct unwind_trail *trail, uint32_t index, uint32_t count,
                         const struct unwind_frame *frame) {
  return index < UNWIND_TRAIL && index >= trail->firm && index >= count &&
         trail->rsp[index] == frame->rsp && trail->pc[index] == frame->pc &&
         trail->rbp[index] == frame->rbp && still_holds(trail, index);
}

// Puts the fresh frames before those that are kept from `kept` on.
static void lay(struct unwind_trail *trail, uint32_t count, uint32_t kept, uint32_t fresh_firm) {
  uint32_t first = kept - count;
  uint64_t hash = kept < UNWIND_TRAIL ? trail->hash[kept] : (uint64_t)trail->ending;
  for (uint32_t i = count; i-- > 0;) {
    uint32_t to = first + i;
    const struct unwind_frame *frame = &trail->fresh[i];
    trail->pc[to] = frame->pc;
    trail->rsp[to] = frame->rsp;
    trail->rbp[to] = frame->rbp;
    trail->saved[to] = trail->fresh_saved[i];
    if (!trail->saved[to] && to + 1 < UNWIND_TRAIL)
      trail->saved[to] = &trail->rbp[to + 1]; // unchanged: it has the value that it has
    trail->hash[to] = hash = mix(hash, frame->pc);
  }
  trail->first = first;
  trail->firm = first + fresh_firm;
}

unsigned unwind_walk(struct unwind_cache *cache, struct unwind_trail *trail,
                     struct unwind_result *result, uint64_t pc, uint64_t rsp, uint64_t rbp) {
  uint32_t generation = __atomic_load_n(&cache->generation, __ATOMIC_RELAXED);
  struct walk walk = {cache, (uint64_t)generation << 48, trail->readable};
  struct unwind_frame frame = {pc, rsp, rbp};
  uint32_t old = trail->is_set && trail->generation == generation ? trail->first : UNWIND_TRAIL;
  uint32_t count = 0, fresh_firm = 0;
  enum unwind_ending ending = UNWIND_CONTINUES;
  if (rsp < walk.window.low || rsp >= walk.window.high) {
    unwind_enter(&walk.window, rsp);
    old = UNWIND_TRAIL;
  }
  for (;;) {
    while (old < UNWIND_TRAIL && trail->rsp[old] < frame.rsp)
      old++;
    if (meets(trail, old, count, &frame))
      break;
    if (count == UNWIND_TRAIL) {
      ending = UNWIND_TOO_DEEP;
      break;
    }
    trail->fresh[count] = frame;
    uint64_t bits = row_for(cache, walk.generation, unwind_lookup_address(frame.pc));
    if (__builtin_expect(step_quickly(bits, &frame, &walk.window), 1)) {
      trail->fresh_saved[count++] =
          saves_rbp(bits) ? (const uint64_t *)(frame.rsp + rbp_offset(bits)) : NULL;
      continue;
    }
    trail->fresh_saved[count++] = NULL;
    ending = step(&walk, bits, &frame);
    if (ending != UNWIND_CONTINUES)
      break;
    fresh_firm = count;
  }
  bool is_met = ending == UNWIND_CONTINUES;
  if (!is_met)
    trail->ending = ending;
  lay(trail, count, is_met ? old : UNWIND_TRAIL, fresh_firm);
  trail->kept = is_met ? UNWIND_TRAIL - old : 0;
  trail->readable = walk.window;
  trail->generation = generation;
  // How any other walk ended depends on words that are not compared.
  trail->is_set = trail->ending == UNWIND_COMPLETE || trail->ending == UNWIND_NOT_SUPPORTED;
  result->hash = trail->hash[trail->first];
  result->ending = trail->ending;
  return UNWIND_TRAIL - trail->first;
}
