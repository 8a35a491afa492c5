#include "reader.h"

// As eight bytes of code read as one number, with what of them counts.
struct pattern {
  uint64_t code;
  uint64_t mask;
  uint64_t distance; // of a second number of six bytes, 0 for none
  uint64_t more;
  enum unwind_cfa kind;
};

static const struct pattern patterns[] = {
    // mov $15,%rax; syscall: what a signal handler returns to.
    {0x0f0000000fc0c748, UINT64_MAX, 0, 0, UNWIND_SIGNAL_RETURN},
    // mov %rbx,%rsp: __start_context, what the outermost function of a coroutine returns to.
    {0xdc8948, 0xffffff, 0, 0, UNWIND_OUTERMOST},
    // lea _dl_fini(%rip),%rdx; mov %r13,%rsp; jmp *%r12: the loader, when all constructors have
    // run; it goes on to the program's _start.
    {0x158d48, 0xffffff, 7, 0xe4ff41ec894c, UNWIND_OUTERMOST},
};

enum unwind_cfa unwind_known_code(const struct unwind_view *code, uint64_t return_address) {
  for (unsigned i = 0; i < sizeof patterns / sizeof *patterns; i++) {
    const struct pattern *pattern = &patterns[i];
    struct unwind_reader reader = unwind_reader_at(code, return_address);
    struct unwind_reader more = unwind_reader_at(code, return_address + pattern->distance);
    uint64_t first = unwind_unsigned(&reader, 8);
    uint64_t second = unwind_unsigned(&more, 6);
    if (!reader.broken && !more.broken && (first & pattern->mask) == pattern->code &&
        (pattern->distance == 0 || second == pattern->more))
      return pattern->kind;
  }
  return UNWIND_NO_ENTRY;
}

bool unwind_follows_call(const struct unwind_view *code, uint64_t return_address) {
  enum { longest = 7, rel32 = 5 }; // bytes of a call: e8 and a distance, or ff /2 and an operand
  struct unwind_reader reader = unwind_reader_at(code, return_address - longest);
  struct unwind_reader bytes = unwind_slice(&reader, longest);
  if (bytes.broken)
    return false;
  if (bytes.next[longest - rel32] == 0xe8)
    return true;
  for (unsigned i = 0; i + 1 < longest; i++)
    if (bytes.next[i] == 0xff && (bytes.next[i + 1] >> 3 & 7) == 2)
      return true;
  return false;
}
