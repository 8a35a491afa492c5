#include "live.h"
#include "reader.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>

// Headers further into the file are not looked at: what follows the first page may be a gap.
enum { first_page = 4096 };

// The file-backed part of the loaded segment that holds `address`. False when the object does not
// begin with its ELF header, as it does unless a linker script made it.
static bool find_segment(const struct dl_find_object *object, uint64_t address,
                         struct unwind_view *view, uint32_t *flags) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)object->dlfo_map_start;
  if (header->e_ident[EI_MAG0] != ELFMAG0 || header->e_ident[EI_MAG1] != ELFMAG1 ||
      header->e_ident[EI_MAG2] != ELFMAG2 || header->e_ident[EI_MAG3] != ELFMAG3 ||
      header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff > first_page ||
      header->e_phnum > (first_page - header->e_phoff) / sizeof(Elf64_Phdr))
    return false;
  const Elf64_Phdr *segments = (const Elf64_Phdr *)((uintptr_t)header + header->e_phoff);
  for (unsigned i = 0; i < header->e_phnum; i++) {
    uint64_t start = object->dlfo_link_map->l_addr + segments[i].p_vaddr;
    if (segments[i].p_type != PT_LOAD || address - start >= segments[i].p_filesz)
      continue;
    view->bytes = (const uint8_t *)start;
    view->address = start;
    view->size = segments[i].p_filesz;
    *flags = segments[i].p_flags;
    return true;
  }
  return false;
}

bool unwind_live_is_code(uint64_t address) {
  struct dl_find_object object;
  struct unwind_view segment;
  uint32_t flags;
  return _dl_find_object((void *)address, &object) == 0 &&
         find_segment(&object, address, &segment, &flags) && (flags & PF_X) != 0;
}

// Two places that C libraries have no entry for, or one that begins a byte too late for the lookup
// of a return address, known by their code.
static enum unwind_cfa judge_code(const struct dl_find_object *object, uint64_t return_address) {
  struct unwind_view segment;
  uint32_t flags;
  if (!find_segment(object, return_address, &segment, &flags) || !(flags & PF_R))
    return UNWIND_NO_ENTRY;
  struct unwind_reader reader = unwind_reader_at(&segment, return_address);
  uint64_t code = unwind_unsigned(&reader, 8);
  // mov $15,%rax; syscall: what a signal handler returns to.
  if (code == 0x0f0000000fc0c748)
    return UNWIND_SIGNAL_RETURN;
  // mov %rbx,%rsp: __start_context, what the outermost function of a coroutine returns to.
  if ((code & 0xffffff) == 0xdc8948)
    return UNWIND_OUTERMOST;
  return UNWIND_NO_ENTRY;
}

struct unwind_row unwind_live_row(uint64_t address) {
  struct unwind_row row = {0, 0, -1, UNWIND_NO_ENTRY, UNWIND_RBP_SAME};
  struct dl_find_object object;
  if (_dl_find_object((void *)address, &object) != 0)
    return row;
  struct unwind_section section;
  section.format = UNWIND_EH_FRAME;
  struct unwind_entry entry;
  uint32_t flags;
  uint64_t header = (uint64_t)object.dlfo_eh_frame;
  bool has_entry = header && find_segment(&object, header, &section.view, &flags) &&
                   unwind_search(&section, header, address, &entry);
  if (!has_entry || entry.end == address + 1)
    row.cfa = judge_code(&object, address + 1);
  return has_entry && row.cfa == UNWIND_NO_ENTRY ? unwind_row_of_entry(&section, &entry, address)
                                                 : row;
}
