#include "capture_probe.h"
#include <agent_core.h>
#include <execinfo.h>
#include <pthread.h>

__attribute__((noinline)) int probe_capture(uint32_t slot, void **frames, int capacity) {
  pthread_attr_t attributes;
  void *low;
  size_t size;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0)
    return 0;
  pthread_attr_getstack(&attributes, &low, &size);
  pthread_attr_destroy(&attributes);
  struct qprof_stack stack = {(uintptr_t)low, (uintptr_t)low + size};
  ucontext_t context;
  getcontext(&context);
  qprof_write_sample(slot, &context, &stack, 1, 1);
  return backtrace(frames, capacity);
}

void probe_capture_at(uint32_t slot, uintptr_t rsp, uint32_t weight) {
  ucontext_t context;
  getcontext(&context);
  context.uc_mcontext.gregs[REG_RSP] = (greg_t)rsp;
  context.uc_stack.ss_size = 0;
  struct qprof_stack unknown = {0, 0};
  qprof_write_sample(slot, &context, &unknown, 1, weight);
}

void probe_detach(void) { qprof_session = NULL; }
