// What is mapped, told as soon as something was loaded: it may be gone again before the recorder
// looks, and its addresses taken by another object.

#include "../CAgentCore/syscalls.h"
#include "heap.h"
#include <dlfcn.h>
#include <fcntl.h>

// One read of /proc/self/maps returns whole lines, and no more than a page of them.
enum { text_size = 48 * 1024, one_read = QPROF_PAGE };

struct qprof_loader qprof_loader;

void qprof_find_loader(void) {
  void *inside = dlsym(RTLD_DEFAULT, "__tls_get_addr");
  struct dl_find_object object;
  if (!inside || _dl_find_object(inside, &object) != 0)
    return;
  qprof_loader.start = (uintptr_t)object.dlfo_map_start;
  qprof_loader.size = (uintptr_t)object.dlfo_map_end - (uintptr_t)object.dlfo_map_start;
}

// `start-end rwxp …`: whether code may run there.
static bool is_executable(const char *line, const char *end) {
  while (line < end && *line != ' ')
    line++;
  return end - line > 3 && line[3] == 'x';
}

// Moves the lines of [from, end) that are of code to `to`; returns their end.
static char *keep_code(char *to, const char *from, const char *end) {
  while (from < end) {
    const char *next = from;
    while (next < end && *next != '\n')
      next++;
    if (next < end && is_executable(from, next))
      for (const char *at = from; at <= next; at++)
        *to++ = *at;
    from = next + 1;
  }
  return to;
}

void qprof_tell_mappings(struct heap_thread *thread) {
  long file =
      qprof_syscall4(SYS_openat, AT_FDCWD, (long)"/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
  if (file < 0)
    return;
  struct qprof_record *record =
      (struct qprof_record *)qprof_room(thread, sizeof *record + text_size);
  if (record) {
    char *text = (char *)(record + 1), *end = text;
    long got;
    while (end + one_read <= text + text_size &&
           (got = qprof_syscall3(SYS_read, file, (long)end, one_read)) > 0)
      end = keep_code(end, end, end + got);
    uint32_t length = (uint32_t)(end - text);
    *record = (struct qprof_record){.size = (uint32_t)(sizeof *record + length + 7) & ~7u,
                                    .kind = QPROF_RECORD_MAPS,
                                    .payload = length,
                                    .weight = thread->generation,
                                    .time_ns = qprof_now()};
    qprof_publish(thread, record->size);
  }
  qprof_syscall3(SYS_close, file, 0, 0);
}
