#include "live.h"
#include <errno.h>
#include <sys/syscall.h>

enum { page = 4096 };
// A frame may be as large as this.
static const uint64_t furthest_up = 1 << 20;
// Stacks that grew down by more since the last walk are taken for others.
static const uint64_t furthest_down = 1 << 16;

static uint64_t page_of(uint64_t address) { return address & ~(uint64_t)(page - 1); }

// The kernel reads a signal set before it looks at what to do with it, so asked for something
// impossible it says whether the set's address could be read, and does nothing.
bool unwind_is_readable(uint64_t address) {
  register uint64_t set_size __asm__("r10") = 8;
  int64_t result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"((int64_t)SYS_rt_sigprocmask), "D"((int64_t)-1), "S"(address),
                     "d"((int64_t)0), "r"(set_size)
                   : "rcx", "r11", "memory");
  return result == -EINVAL;
}

bool unwind_reach(struct unwind_window *window, uint64_t address) {
  uint64_t end = address + 8;
  if (address < window->low || end < address)
    return false;
  if (end > window->high && end - window->high > furthest_up)
    return false;
  while (end > window->high) {
    if (!unwind_is_readable(window->high))
      return false;
    window->high += page;
  }
  return true;
}

void unwind_enter(struct unwind_window *window, uint64_t rsp) {
  uint64_t first = page_of(rsp);
  if (rsp < window->low && window->low - rsp <= furthest_down) {
    while (window->low > first && unwind_is_readable(window->low - page))
      window->low -= page;
    if (window->low == first)
      return;
  }
  window->low = first;
  window->high = first;
}
