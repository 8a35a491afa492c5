// Mode `sample`: allocations are drawn by a Poisson process over the bytes that a thread asks for,
// so that a block of n bytes is drawn with the chance 1 - exp(-n / interval). The release of a
// drawn block has to be noticed among all the others: most of them meet a zero in a small table of
// counters, the rest look into the set of drawn blocks.

#include "heap.h"

enum { sets = 1 << 13, ways = 8 };

// A counter that has reached the end stays there.
uint8_t qprof_drawn_near[qprof_drawn_counters];
static uintptr_t drawn[sets][ways];

void qprof_remember_drawn(struct heap_thread *thread, uintptr_t block) {
  uint64_t hash = qprof_hash_of_block(block);
  uintptr_t *set = drawn[hash >> 16 & (sets - 1)];
  for (int way = 0; way < ways; way++) {
    uintptr_t empty = 0;
    if (!__atomic_compare_exchange_n(&set[way], &empty, block, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED))
      continue;
    uint8_t *near = &qprof_drawn_near[hash >> 48];
    uint8_t count = __atomic_load_n(near, __ATOMIC_RELAXED);
    while (count < UINT8_MAX && !__atomic_compare_exchange_n(near, &count, count + 1, true,
                                                             __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
      ;
    return;
  }
  thread->row->unfollowed++;
}

bool qprof_forget_near(uintptr_t block, uint64_t hash) {
  uint8_t *near = &qprof_drawn_near[hash >> 48];
  uintptr_t *set = drawn[hash >> 16 & (sets - 1)];
  for (int way = 0; way < ways; way++) {
    if (__atomic_load_n(&set[way], __ATOMIC_RELAXED) != block)
      continue;
    __atomic_store_n(&set[way], 0, __ATOMIC_RELEASE);
    uint8_t count = __atomic_load_n(near, __ATOMIC_RELAXED);
    while (count > 0 && count < UINT8_MAX &&
           !__atomic_compare_exchange_n(near, &count, count - 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
      ;
    return true;
  }
  return false;
}

// xorshift64* (Vigna, ACM TOMS 42, 2016).
static uint64_t random_number(struct heap_thread *thread) {
  uint64_t x = thread->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  thread->random = x;
  return x * 0x2545F4914F6CDD1Dull;
}

// -ln(u) for u = (number + 1) / 2^64, without libm, which the target may not have. With u = m *
// 2^-e and m in [1, 2): e ln 2 - ln m, and ln m = 2 artanh((m - 1) / (m + 1)).
static double minus_log(uint64_t number) {
  const double ln_2 = 0.693147180559945309;
  uint64_t bits = number | 1;
  int zeros = __builtin_clzll(bits);
  double m = (double)(bits << zeros >> 11) * 0x1p-52;
  double s = (m - 1) / (m + 1), square = s * s, sum = 0;
  for (int power = 17; power >= 1; power -= 2)
    sum = sum * square + 1.0 / power;
  return (zeros + 1) * ln_2 - 2 * s * sum;
}

int64_t qprof_bytes_until_drawn(struct heap_thread *thread) {
  double bytes = minus_log(random_number(thread)) * (double)qprof_session->heap_interval;
  return bytes < 0x1p62 ? (int64_t)bytes : INT64_MAX / 2;
}
