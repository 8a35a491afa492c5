#include <unwind_rows.h>

// Where the kernel leaves registers for a signal handler: in the ucontext_t that rsp points at
// when the handler returns to the trampoline.
enum { context_rbp = 120, context_rsp = 160, context_rip = 168 };

static bool load(const struct unwind_memory *memory, uint64_t address, uint64_t *value) {
  return memory->load(memory->context, address, value);
}

static bool can_be_code(uint64_t pc) { return pc != 0 && pc >> 47 == 0; }

static enum unwind_ending return_from_signal(struct unwind_frame *frame,
                                             const struct unwind_memory *memory) {
  struct unwind_frame caller;
  if (!load(memory, frame->rsp + context_rip, &caller.pc) ||
      !load(memory, frame->rsp + context_rsp, &caller.rsp) ||
      !load(memory, frame->rsp + context_rbp, &caller.rbp))
    return UNWIND_UNREADABLE;
  if (!can_be_code(caller.pc))
    return UNWIND_BROKEN_CHAIN;
  caller.pc |= UNWIND_EXACT;
  *frame = caller;
  return UNWIND_CONTINUES;
}

// Code that nothing describes may keep a frame pointer. It does if rbp leads to a return address.
static enum unwind_ending follow_frame_pointer(struct unwind_frame *frame,
                                               const struct unwind_memory *memory) {
  struct unwind_frame caller;
  uint64_t rbp = frame->rbp;
  if (rbp < frame->rsp || rbp % 8 != 0 || !load(memory, rbp, &caller.rbp) ||
      !load(memory, rbp + 8, &caller.pc) || !can_be_code(caller.pc) ||
      !memory->can_return_to(memory->context, caller.pc))
    return UNWIND_NO_INFO;
  caller.rsp = rbp + 16;
  *frame = caller;
  return UNWIND_CONTINUES;
}

static bool find_cfa(struct unwind_row row, const struct unwind_frame *frame,
                     const struct unwind_memory *memory, uint64_t *cfa) {
  bool is_on_rsp = row.cfa == UNWIND_CFA_RSP || row.cfa == UNWIND_CFA_AT_RSP;
  uint64_t place = (is_on_rsp ? frame->rsp : frame->rbp) + (uint64_t)(int64_t)row.cfa_offset;
  *cfa = place;
  if (row.cfa == UNWIND_CFA_RSP || row.cfa == UNWIND_CFA_RBP)
    return true;
  if (!load(memory, place, cfa))
    return false;
  *cfa += (uint64_t)(8 * (int64_t)row.words);
  return true;
}

static bool find_rbp(struct unwind_row row, uint64_t cfa, const struct unwind_frame *frame,
                     const struct unwind_memory *memory, uint64_t *rbp) {
  uint64_t offset = (uint64_t)(int64_t)row.rbp_offset;
  switch (row.rbp) {
  case UNWIND_RBP_SAME:
    *rbp = frame->rbp;
    return true;
  case UNWIND_RBP_AT_CFA:
    return load(memory, cfa + offset, rbp);
  case UNWIND_RBP_AT_RBP:
    return load(memory, frame->rbp + offset, rbp);
  default:
    *rbp = 0;
    return true; // A frame that is found by it will not be above this one.
  }
}

enum unwind_ending unwind_step(struct unwind_row row, struct unwind_frame *frame,
                               const struct unwind_memory *memory) {
  switch (row.cfa) {
  case UNWIND_SIGNAL_RETURN:
    return return_from_signal(frame, memory);
  case UNWIND_OUTERMOST:
    return UNWIND_COMPLETE;
  case UNWIND_NO_ENTRY:
    return follow_frame_pointer(frame, memory);
  case UNWIND_INEXPRESSIBLE:
    return UNWIND_NOT_SUPPORTED;
  default:
    break;
  }
  uint64_t cfa;
  struct unwind_frame caller;
  if (!find_cfa(row, frame, memory, &cfa))
    return UNWIND_UNREADABLE;
  if (cfa <= frame->rsp)
    return UNWIND_BROKEN_CHAIN;
  bool is_loaded = row.cfa == UNWIND_CFA_AT_RSP || row.cfa == UNWIND_CFA_AT_RBP;
  int64_t words = is_loaded ? -1 : row.words;
  if (!load(memory, cfa + (uint64_t)(8 * words), &caller.pc) ||
      !find_rbp(row, cfa, frame, memory, &caller.rbp))
    return UNWIND_UNREADABLE;
  if (!can_be_code(caller.pc))
    return UNWIND_BROKEN_CHAIN;
  caller.rsp = cfa;
  *frame = caller;
  return UNWIND_CONTINUES;
}
