#include "unwind_probe.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

struct unwind_cache *probe_make_cache(uint32_t entries) {
  size_t size = entries * sizeof(struct unwind_cache_entry);
  struct unwind_cache *cache = malloc(sizeof(struct unwind_cache));
  *cache = (struct unwind_cache){aligned_alloc(64, size), entries - 1, 0};
  memset(cache->entries, 0, size);
  return cache;
}

void probe_free_cache(struct unwind_cache *cache) {
  free(cache->entries);
  free(cache);
}

struct probe_walk *probe_make_walk(struct unwind_cache *cache) {
  struct probe_walk *walk = calloc(1, sizeof(struct probe_walk));
  walk->cache = cache;
  walk->expected_limit = probe_capacity;
  return walk;
}

void probe_free_walk(struct probe_walk *walk) { free(walk); }

__attribute__((noinline)) void probe_here(void *argument) {
  struct probe_walk *walk = argument;
  const uint64_t *frame = __builtin_frame_address(0);
  probe_from(frame[1], (uint64_t)(frame + 2), frame[0], walk);
  void *found[probe_capacity + 1];
  int count = backtrace(found, (int)walk->expected_limit + 1);
  walk->expected_count = (unsigned)count - 1; // without this function
  for (int i = 1; i < count; i++)
    walk->expected[i - 1] = (uint64_t)found[i];
}

__attribute__((noinline)) void probe_below(unsigned depth, void *argument) {
  if (depth == 0)
    probe_here(argument);
  else
    probe_below(depth - 1, argument);
  __asm__ volatile(""); // no tail call
}

static uint64_t draw(struct probe_wander *wander) {
  wander->state ^= wander->state << 13;
  wander->state ^= wander->state >> 7;
  wander->state ^= wander->state << 17;
  return wander->state;
}

static void compare_here(struct probe_wander *wander) {
  struct probe_walk *walk = wander->walk;
  if (wander->different > 0)
    return;
  probe_here(walk);
  wander->calls++;
  wander->different += walk->count != walk->expected_count ||
                       memcmp(walk->frames, walk->expected, walk->count * sizeof(uint64_t)) != 0;
  wander->kept += walk->trail.kept;
}

__attribute__((noinline)) static void wander_one(struct probe_wander *wander, unsigned depth);

__attribute__((noinline)) static void wander_two(struct probe_wander *wander, unsigned depth) {
  volatile char space[40];
  space[0] = 1;
  for (uint64_t i = draw(wander) % 3; i > 0 && depth > 0; i--)
    wander_one(wander, depth - 1);
  compare_here(wander);
}

static void wander_one(struct probe_wander *wander, unsigned depth) {
  volatile char *space = __builtin_alloca(16 + draw(wander) % 500);
  space[0] = 1;
  if (depth > 0 && draw(wander) % 2)
    wander_two(wander, depth - 1);
  compare_here(wander);
  if (depth > 0 && draw(wander) % 4 == 0)
    wander_one(wander, depth - 1);
  if (depth > 0)
    wander_two(wander, depth - 1);
}

void probe_wander_about(struct probe_wander *wander) {
  while (wander->calls < 2500 && wander->different == 0)
    wander_one(wander, 12);
}

static _Thread_local struct probe_walk *current;

static int compare(const void *left, const void *right) {
  if (current->count == 0)
    probe_here(current);
  return *(const int *)left - *(const int *)right;
}

void probe_in_callback(void *argument) {
  current = argument;
  int numbers[] = {2, 1};
  qsort(numbers, 2, sizeof(int), compare);
}

static void handler(int signal) {
  (void)signal;
  probe_here(current);
}

void probe_in_handler(bool on_alternate_stack, void *argument) {
  current = argument;
  enum { size = 1 << 16 };
  void *memory = malloc(size);
  stack_t stack = {.ss_sp = memory, .ss_size = size}, old_stack;
  struct sigaction action = {.sa_flags = on_alternate_stack ? SA_ONSTACK : 0}, old_action;
  action.sa_handler = handler;
  sigset_t signals, old_signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR2);
  sigaltstack(&stack, &old_stack);
  sigaction(SIGUSR2, &action, &old_action);
  pthread_sigmask(SIG_UNBLOCK, &signals, &old_signals);
  pthread_kill(pthread_self(), SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &old_signals, 0);
  sigaction(SIGUSR2, &old_action, 0);
  sigaltstack(&old_stack, 0);
  free(memory);
}

static void coroutine(void) { probe_below(3, current); }

void probe_in_coroutine(void *argument) {
  current = argument;
  enum { size = 1 << 16 };
  ucontext_t here, there;
  getcontext(&there);
  there.uc_stack.ss_sp = malloc(size);
  there.uc_stack.ss_size = size;
  there.uc_link = &here;
  makecontext(&there, coroutine, 0);
  swapcontext(&here, &there);
  free(there.uc_stack.ss_sp);
}

void probe_from(uint64_t pc, uint64_t rsp, uint64_t rbp, struct probe_walk *walk) {
  walk->count = unwind_walk(walk->cache, &walk->trail, &walk->result, pc, rsp, rbp);
  memcpy(walk->frames, walk->trail.pc + walk->trail.first, walk->count * sizeof(uint64_t));
}

void *probe_open(const char *path) { return dlopen(path, RTLD_LAZY | RTLD_LOCAL); }

void *probe_symbol(void *object, const char *name) { return dlsym(object, name); }

void probe_through(void *object, const char *function, struct probe_walk *walk) {
  void (*body)(void (*)(void *), void *);
  *(void **)&body = dlsym(object, function);
  if (body)
    body(probe_here, walk);
}

void probe_close(void *object) { dlclose(object); }
