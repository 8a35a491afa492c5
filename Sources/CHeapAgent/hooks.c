// The interposed functions. A block is announced after it was made and before it is given back; so
// no two threads can seem to have had one address at once.

#include "functions.h"
#include "heap.h"
#include <dlfcn.h>
#include <link.h>
#include <stdarg.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default"), noinline))
// Where the caller's rbp and the return address are.
#define FRAME (const uint64_t *)__builtin_frame_address(0)

static inline void write_allocation(struct heap_thread *thread, uintptr_t block, size_t size,
                                    uint64_t stack) {
  uint64_t *words = qprof_room(thread, 3 * sizeof *words);
  thread->last_block = 0;
  if (UNLIKELY(!words))
    return;
  qprof_take_off(thread);
  uint64_t time = qprof_time(true);
  words[0] = time << QPROF_EVENT_TIME_SHIFT | QPROF_EVENT_ALLOCATE;
  words[1] = block | stack << QPROF_EVENT_STACK_SHIFT;
  words[2] = size;
  qprof_publish(thread, 3 * sizeof *words);
  qprof_land(thread, time);
  thread->last_block = block;
}

static inline bool write_free(struct heap_thread *thread, uintptr_t block) {
  // A drawn block's release tells the recorder that nothing came between, which it cannot see.
  bool is_last =
      thread->last_block == block && (__libc_single_threaded || qprof_mode == QPROF_HEAP_SAMPLE);
  thread->last_block = 0;
  uint32_t size = is_last ? 8 : 16;
  uint64_t *words = qprof_room(thread, size);
  if (UNLIKELY(!words))
    return false;
  if (is_last) {
    words[0] = QPROF_EVENT_FREE_LAST;
    qprof_publish(thread, size);
    return true;
  }
  qprof_take_off(thread);
  uint64_t time = qprof_time(false);
  words[0] = time << QPROF_EVENT_TIME_SHIFT | QPROF_EVENT_FREE;
  words[1] = block;
  qprof_publish(thread, size);
  qprof_land(thread, time);
  return true;
}

// An allocation that the countdown has met.
__attribute__((noinline)) static void draw(uintptr_t block, size_t size, const uint64_t *frame) {
  struct heap_thread *thread = qprof_begin_event();
  if (!thread)
    return;
  thread->until_drawn = qprof_bytes_until_drawn(thread);
  qprof_remember_drawn(thread, block);
  write_allocation(thread, block, size, qprof_stack_index(thread, frame));
  qprof_end_event(thread);
}

__attribute__((noinline)) static void follow_allocation(uintptr_t block, size_t size,
                                                        const uint64_t *frame) {
  struct heap_thread *thread = qprof_begin_event();
  if (UNLIKELY(!thread))
    return;
  if (LIKELY(block))
    write_allocation(thread, block, size, qprof_stack_index(thread, frame));
  else
    thread->row->failed++;
  qprof_end_event(thread);
}

// The calling thread, where nothing but its own counters is touched. The first call in a process
// finds out what is recorded, which `mode` then says.
static inline struct heap_thread *counting_thread(uint32_t *mode) {
  struct heap_thread *thread = qprof_heap_thread;
  if (LIKELY(thread && thread->row))
    return thread;
  thread = qprof_enter();
  *mode = qprof_mode;
  return thread;
}

__attribute__((always_inline)) static inline void
count_allocation(const void *pointer, size_t size, uint32_t mode, const uint64_t *frame) {
  struct heap_thread *thread = counting_thread(&mode);
  if (UNLIKELY(!thread))
    return;
  if (UNLIKELY(mode == QPROF_HEAP_FULL)) {
    follow_allocation((uintptr_t)pointer, size, frame);
    return;
  }
  if (UNLIKELY(!pointer)) {
    thread->row->failed++;
    return;
  }
  thread->row->allocations++;
  thread->row->bytes += size;
  if (mode == QPROF_HEAP_COUNT)
    return;
  thread->last_block = 0;
  if (UNLIKELY((thread->until_drawn -= (int64_t)size) < 0))
    draw((uintptr_t)pointer, size, frame);
}

__attribute__((always_inline)) static inline void allocated(const void *pointer, size_t size,
                                                            const uint64_t *frame) {
  uint32_t mode = qprof_mode;
  if (mode == QPROF_HEAP_FULL)
    follow_allocation((uintptr_t)pointer, size, frame);
  else if (mode != 0)
    count_allocation(pointer, size, mode, frame);
}

// What became of a free that is about to happen.
enum announcement { NOT_ANNOUNCED, COUNTED, WRITTEN };

__attribute__((noinline)) static enum announcement follow_free(uintptr_t block) {
  struct heap_thread *thread = qprof_begin_event();
  if (UNLIKELY(!thread))
    return NOT_ANNOUNCED;
  bool is_written = write_free(thread, block);
  qprof_end_event(thread);
  return is_written ? WRITTEN : NOT_ANNOUNCED;
}

__attribute__((always_inline)) static inline enum announcement count_free(uintptr_t block,
                                                                          uint32_t mode) {
  struct heap_thread *thread = counting_thread(&mode);
  if (UNLIKELY(!thread))
    return NOT_ANNOUNCED;
  if (UNLIKELY(mode == QPROF_HEAP_FULL))
    return follow_free(block);
  thread->row->frees++;
  if (mode == QPROF_HEAP_COUNT)
    return COUNTED;
  if (UNLIKELY(qprof_forget_drawn(block)))
    return follow_free(block) == WRITTEN ? WRITTEN : COUNTED;
  thread->last_block = 0;
  return COUNTED;
}

__attribute__((always_inline)) static inline enum announcement freed(const void *pointer) {
  uint32_t mode = qprof_mode;
  if (mode == 0 || !pointer)
    return NOT_ANNOUNCED;
  return mode == QPROF_HEAP_FULL ? follow_free((uintptr_t)pointer)
                                 : count_free((uintptr_t)pointer, mode);
}

// Takes back what freed() announced before a realloc that failed.
static void undo_free(const void *pointer, enum announcement announced) {
  struct heap_thread *thread = qprof_mode ? qprof_begin_event() : NULL;
  if (!thread)
    return;
  thread->row->failed++;
  if (announced != NOT_ANNOUNCED && qprof_mode != QPROF_HEAP_FULL)
    thread->row->frees--;
  uint64_t *words = announced == WRITTEN ? qprof_room(thread, 2 * sizeof *words) : NULL;
  if (words) {
    words[0] = QPROF_EVENT_UNDO_FREE;
    words[1] = (uintptr_t)pointer;
    qprof_publish(thread, 2 * sizeof *words);
    if (qprof_mode == QPROF_HEAP_SAMPLE)
      qprof_remember_drawn(thread, (uintptr_t)pointer);
  }
  qprof_end_event(thread);
}

EXPORT void *malloc(size_t size) {
  void *block = qprof_next_functions.malloc(size);
  allocated(block, size, FRAME);
  return block;
}

// By its own name: `malloc` is the program's, where that defines it.
extern __typeof(malloc) own_malloc __attribute__((alias("malloc"), visibility("hidden")));

// Not ours only where the program has a definition: one that takes malloc's address without being
// position independent has a stub of that name, which calls on to us.
bool qprof_malloc_is_ours(void) {
  void *first = dlsym(RTLD_DEFAULT, "malloc");
  Dl_info object;
  const ElfW(Sym) *symbol = NULL;
  return first == (void *)own_malloc ||
         !dladdr1(first, &object, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
         symbol->st_shndx == SHN_UNDEF;
}

EXPORT void *calloc(size_t count, size_t size) {
  if (UNLIKELY(qprof_is_in_loader((uintptr_t)__builtin_return_address(0))))
    qprof_loader.has_loaded = true; // it makes an entry in its list of objects
  void *block = qprof_next_functions.calloc(count, size);
  allocated(block, count * size, FRAME);
  return block;
}

EXPORT void free(void *block) {
  if (UNLIKELY(qprof_is_in_pool(block)))
    return;
  freed(block);
  qprof_next_functions.free(block);
}

EXPORT void cfree(void *block) {
  freed(block);
  qprof_next_functions.cfree(block);
}

EXPORT void free_sized(void *block, size_t size) {
  freed(block);
  qprof_next_functions.free_sized(block, size);
}

EXPORT void free_aligned_sized(void *block, size_t alignment, size_t size) {
  freed(block);
  qprof_next_functions.free_aligned_sized(block, alignment, size);
}

// A block that grows is a block freed and another allocated.
static inline void reallocated(void *old, enum announcement announced, void *new, size_t size,
                               const uint64_t *frame) {
  if (new || !old)
    allocated(new, size, frame);
  else if (size > 0)
    undo_free(old, announced); // with size 0 it was freed
}

__attribute__((always_inline)) static inline void *reallocate(void *block, size_t size,
                                                              const uint64_t *frame) {
  if (UNLIKELY(qprof_is_in_pool(block)))
    return qprof_move_from_pool(block, size);
  enum announcement announced = freed(block);
  void *new = qprof_next_functions.realloc(block, size);
  reallocated(block, announced, new, size, frame);
  return new;
}

EXPORT void *realloc(void *block, size_t size) { return reallocate(block, size, FRAME); }

// Without the C library's, which calls realloc, which is ours.
EXPORT void *reallocarray(void *block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes))
    bytes = SIZE_MAX; // which is refused
  return reallocate(block, bytes, FRAME);
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t size) {
  int error = qprof_next_functions.posix_memalign(block, alignment, size);
  allocated(error ? NULL : *block, size, FRAME);
  return error;
}

EXPORT void *aligned_alloc(size_t alignment, size_t size) {
  void *block = qprof_next_functions.aligned_alloc(alignment, size);
  allocated(block, size, FRAME);
  return block;
}

EXPORT void *memalign(size_t alignment, size_t size) {
  void *block = qprof_next_functions.memalign(alignment, size);
  allocated(block, size, FRAME);
  return block;
}

EXPORT void *valloc(size_t size) {
  void *block = qprof_next_functions.valloc(size);
  allocated(block, size, FRAME);
  return block;
}

EXPORT void *pvalloc(size_t size) {
  void *block = qprof_next_functions.pvalloc(size);
  allocated(block, size, FRAME);
  return block;
}

EXPORT void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
  void *region = qprof_next_functions.mmap(at, size, protection, flags, file, offset);
  if (region != MAP_FAILED)
    qprof_note_region(QPROF_REGION_MAPPED, region, size, FRAME);
  return region;
}

EXPORT void *mmap64(void *at, size_t size, int protection, int flags, int file, off64_t offset) {
  void *region = qprof_next_functions.mmap64(at, size, protection, flags, file, offset);
  if (region != MAP_FAILED)
    qprof_note_region(QPROF_REGION_MAPPED, region, size, FRAME);
  return region;
}

EXPORT int munmap(void *at, size_t size) {
  if (size > 0 && (uintptr_t)at % QPROF_PAGE == 0) // or it fails
    qprof_note_region(QPROF_REGION_UNMAPPED, at, size, FRAME);
  return qprof_next_functions.munmap(at, size);
}

EXPORT void *mremap(void *at, size_t size, size_t new_size, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  void *new_at = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) ? va_arg(rest, void *) : NULL;
  va_end(rest);
  void *region = qprof_next_functions.mremap(at, size, new_size, flags, new_at);
  if (region != MAP_FAILED) {
    if (!(flags & MREMAP_DONTUNMAP))
      qprof_note_region(QPROF_REGION_UNMAPPED, at, size, FRAME);
    qprof_note_region(QPROF_REGION_MAPPED, region, new_size, FRAME);
  }
  return region;
}

EXPORT int brk(void *end) {
  char *old = qprof_next_functions.sbrk(0);
  int result = qprof_next_functions.brk(end);
  if (result == 0)
    qprof_note_region(QPROF_REGION_BREAK, old, (uint64_t)((char *)end - old), FRAME);
  return result;
}

EXPORT void *sbrk(intptr_t growth) {
  void *old = qprof_next_functions.sbrk(growth);
  if (growth != 0 && old != (void *)-1)
    qprof_note_region(QPROF_REGION_BREAK, old, (uint64_t)growth, FRAME);
  return old;
}
