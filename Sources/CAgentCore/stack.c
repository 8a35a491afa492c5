#include "agent_core.h"
#include "syscalls.h"
#include <sys/uio.h>

// Not memcpy: a sanitised target interposes it and would report our reading of its stack.
static void copy(void *to, const void *from, size_t size) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

// Copies what can be read of [from, from + size) through the kernel, which fails instead of
// faulting. A transfer stops at the first bad iovec, so each page gets its own.
static size_t copy_safely(char *to, uintptr_t from, size_t size) {
  enum { pages = QPROF_UNKNOWN_STACK_CAP / QPROF_PAGE + 2 };
  struct iovec remote[pages];
  int count = 0;
  uintptr_t end = from + size;
  for (uintptr_t at = from; at < end && count < pages; count++) {
    uintptr_t next = (at & ~(uintptr_t)(QPROF_PAGE - 1)) + QPROF_PAGE;
    if (next > end)
      next = end;
    remote[count].iov_base = (void *)at;
    remote[count].iov_len = next - at;
    at = next;
  }
  struct iovec local = {to, size};
  long self = qprof_syscall3(SYS_getpid, 0, 0, 0);
  long got = qprof_syscall6(SYS_process_vm_readv, self, (long)&local, 1, (long)remote, count, 0);
  return got < 0 ? 0 : (size_t)got;
}

static bool contains(const struct qprof_stack *stack, uintptr_t address) {
  return address >= stack->low && address < stack->high;
}

// A signal that the kernel delivered on an alternate stack left the interrupted context near the
// top of that stack. It is found by what it says of the stack itself, which no other data does.
static uintptr_t interrupted_rsp(const stack_t *alternate, const struct qprof_stack *stack,
                                 uintptr_t from) {
  uintptr_t low = (uintptr_t)alternate->ss_sp;
  uintptr_t at = (low + alternate->ss_size - sizeof(ucontext_t)) & ~(uintptr_t)7;
  for (; at >= from; at -= 8) {
    const ucontext_t *candidate = (const ucontext_t *)at;
    if (candidate->uc_stack.ss_sp == alternate->ss_sp &&
        candidate->uc_stack.ss_size == alternate->ss_size &&
        contains(stack, (uintptr_t)candidate->uc_mcontext.gregs[REG_RSP]))
      return (uintptr_t)candidate->uc_mcontext.gregs[REG_RSP];
  }
  return 0;
}

struct plan {
  struct qprof_segment segments[QPROF_SEGMENTS];
  uint16_t flags;
  bool safe; // segment 0 must be copied through the kernel
};

static void add(struct plan *plan, int index, uintptr_t rsp, uintptr_t high) {
  uintptr_t low = rsp - QPROF_RED_ZONE;
  size_t room = QPROF_STACK_CAP - plan->segments[0].size;
  size_t size = high - low;
  if (size > room) {
    size = room;
    plan->flags |= QPROF_FLAG_CAPPED;
  }
  plan->segments[index].address = low;
  plan->segments[index].size = size;
}

static struct plan plan_copy(const ucontext_t *context, const struct qprof_stack *stack) {
  struct plan plan = {.flags = 0, .safe = false};
  uintptr_t rsp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
  const stack_t *alternate = &context->uc_stack;
  uintptr_t alternate_low = (uintptr_t)alternate->ss_sp;
  if (contains(stack, rsp)) {
    add(&plan, 0, rsp, stack->high);
  } else if (alternate->ss_size > sizeof(ucontext_t) && rsp >= alternate_low + QPROF_RED_ZONE &&
             rsp < alternate_low + alternate->ss_size) {
    add(&plan, 0, rsp, alternate_low + alternate->ss_size);
    uintptr_t below = interrupted_rsp(alternate, stack, rsp);
    if (below)
      add(&plan, 1, below, stack->high);
  } else {
    plan.safe = true;
    plan.segments[0].address = rsp - QPROF_RED_ZONE;
    plan.segments[0].size = QPROF_UNKNOWN_STACK_CAP;
  }
  return plan;
}

static void copy_registers(uint64_t *to, const greg_t *from) {
  static const uint8_t dwarf_order[QPROF_REGISTERS] = {
      REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
      REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (int i = 0; i < QPROF_REGISTERS; i++)
    to[i] = (uint64_t)from[dwarf_order[i]];
}

static void count_lost(uint64_t *events, uint64_t *sum, uint32_t weight) {
  __atomic_fetch_add(events, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(sum, weight, __ATOMIC_RELAXED);
}

void qprof_write_sample(uint32_t index, const ucontext_t *context, const struct qprof_stack *stack,
                        int64_t time_ns, uint32_t weight) {
  struct qprof_slot *slot = qprof_slot_at(index);
  if (__atomic_load_n(&slot->busy, __ATOMIC_RELAXED)) {
    count_lost(&slot->busy_events, &slot->busy_weight, weight);
    return;
  }
  struct plan plan = plan_copy(context, stack);
  size_t bytes = plan.segments[0].size + plan.segments[1].size;
  uint32_t size = (uint32_t)(sizeof(struct qprof_sample) + bytes + 7) & ~7u;
  struct qprof_sample *sample = (struct qprof_sample *)qprof_reserve(index, size);
  if (!sample) {
    count_lost(&slot->full_events, &slot->full_weight, weight);
    return;
  }
  char *data = (char *)(sample + 1);
  if (plan.safe) {
    size_t got = copy_safely(data, plan.segments[0].address, plan.segments[0].size);
    if (got == QPROF_UNKNOWN_STACK_CAP)
      plan.flags |= QPROF_FLAG_CAPPED;
    if (got <= QPROF_RED_ZONE)
      plan.flags |= QPROF_FLAG_UNREADABLE;
    plan.segments[0].size = got;
    size = (uint32_t)(sizeof(struct qprof_sample) + got + 7) & ~7u;
    __atomic_fetch_add(&slot->safe_copies, 1, __ATOMIC_RELAXED);
  } else {
    copy(data, (const void *)plan.segments[0].address, plan.segments[0].size);
    copy(data + plan.segments[0].size, (const void *)plan.segments[1].address,
         plan.segments[1].size);
  }
  sample->record = (struct qprof_record){size, QPROF_RECORD_SAMPLE, plan.flags, 0, weight, time_ns};
  copy_registers(sample->registers, context->uc_mcontext.gregs);
  sample->segments[0] = plan.segments[0];
  sample->segments[1] = plan.segments[1];
  qprof_commit(index, &sample->record);
}
