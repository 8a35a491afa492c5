// The process's executable mappings, as lines of /proc/self/maps. Reading that file would cost
// each new process 80 us; the loader knows what matters of it in a tenth of that.

#include "agent_core.h"
#include "syscalls.h"
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum { text_size = 32 * 1024, longest_numbers = 128 };

struct writer {
  char *text; // text_size bytes
  size_t length;
};

static void put_number(struct writer *out, uint64_t value, unsigned base, char after) {
  char digits[24];
  int count = 0;
  do
    digits[count++] = "0123456789abcdef"[value % base];
  while ((value /= base) != 0);
  while (count > 0)
    out->text[out->length++] = digits[--count];
  out->text[out->length++] = after;
}

static void put_text(struct writer *out, const char *text, size_t size) {
  for (size_t i = 0; i < size; i++)
    out->text[out->length++] = text[i];
}

// `start-end r-xp offset major:minor inode path`
static void put_line(struct writer *out, uint64_t address, const ElfW(Phdr) * segment,
                     const struct stat *file, const char *path) {
  size_t path_size = strnlen(path, PATH_MAX);
  if (out->length + longest_numbers + path_size > text_size)
    return;
  uint64_t page = QPROF_PAGE - 1;
  put_number(out, address & ~page, 16, '-');
  put_number(out, (address + segment->p_memsz + page) & ~page, 16, ' ');
  put_text(out, "r-xp ", 5);
  put_number(out, segment->p_offset & ~page, 16, ' ');
  put_number(out, major(file->st_dev), 16, ':');
  put_number(out, minor(file->st_dev), 16, ' ');
  put_number(out, file->st_ino, 10, ' ');
  put_text(out, path, path_size);
  out->text[out->length++] = '\n';
}

// The path by which the recorder finds the object's file: absolute, in `buffer` where the loader's
// own name is not. Null when that cannot be told.
static const char *absolute_path(const char *name, char *buffer) {
  if (!name || name[0] == 0) { // the program itself
    long length = qprof_syscall3(SYS_readlink, (long)"/proc/self/exe", (long)buffer, PATH_MAX - 1);
    if (length <= 0)
      return NULL;
    buffer[length] = 0;
    return buffer;
  }
  if (name[0] == '/')
    return name;
  long length = qprof_syscall3(SYS_getcwd, (long)buffer, PATH_MAX, 0); // with its final zero
  size_t name_size = strnlen(name, PATH_MAX) + 1;
  if (length <= 0 || (size_t)length + name_size > PATH_MAX)
    return NULL;
  buffer[length - 1] = '/';
  for (size_t i = 0; i < name_size; i++)
    buffer[(size_t)length + i] = name[i];
  return buffer;
}

static int put_object(struct dl_phdr_info *object, size_t size, void *argument) {
  (void)size;
  char buffer[PATH_MAX];
  const char *path = "[vdso]";
  struct stat file = {0};
  if (object->dlpi_addr != getauxval(AT_SYSINFO_EHDR)) {
    path = absolute_path(object->dlpi_name, buffer);
    if (!path || qprof_syscall4(SYS_newfstatat, AT_FDCWD, (long)path, (long)&file, 0) < 0)
      return 0;
  }
  for (int i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type == PT_LOAD && segment->p_flags & PF_X)
      put_line(argument, object->dlpi_addr + segment->p_vaddr, segment, &file, path);
  }
  return 0;
}

void qprof_write_maps(uint32_t index) {
  struct qprof_slot *slot = qprof_slot_at(index);
  __atomic_store_n(&slot->busy, 1, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  struct qprof_record *record = qprof_reserve(index, sizeof *record + text_size);
  if (record) {
    struct writer out = {(char *)(record + 1), 0};
    dl_iterate_phdr(put_object, &out);
    *record = (struct qprof_record){.size = (uint32_t)(sizeof *record + out.length + 7) & ~7u,
                                    .kind = QPROF_RECORD_MAPS,
                                    .payload = (uint32_t)out.length,
                                    .weight = qprof_process->generation,
                                    .time_ns = qprof_now()};
    qprof_commit(index, record);
  }
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  __atomic_store_n(&slot->busy, 0, __ATOMIC_RELAXED);
}
