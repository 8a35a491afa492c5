#include "live.h"
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

// Program headers further into the file are not looked at: what follows its first page in memory
// may be a gap.
enum { first_page = 4096 };

struct segments {
  const Elf64_Phdr *headers;
  unsigned count;
};

// The program headers behind an ELF header, if there is one at `address`.
static bool read_header(uint64_t address, struct segments *segments) {
  const Elf64_Ehdr *header = (const Elf64_Ehdr *)address;
  if (!unwind_is_readable(address)) // it may be code that can only be executed
    return false;
  if (header->e_ident[EI_MAG0] != ELFMAG0 || header->e_ident[EI_MAG1] != ELFMAG1 ||
      header->e_ident[EI_MAG2] != ELFMAG2 || header->e_ident[EI_MAG3] != ELFMAG3 ||
      header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phoff > first_page ||
      header->e_phnum > (first_page - header->e_phoff) / sizeof(Elf64_Phdr))
    return false;
  segments->headers = (const Elf64_Phdr *)((uintptr_t)header + header->e_phoff);
  segments->count = header->e_phnum;
  return true;
}

// What the loader calls the start of an object that has gaps is that of one segment. The ELF
// header is then where the object's addresses count from, or, in a program that has a fixed
// address, where only the kernel says.
static bool find_segments(const struct dl_find_object *object, struct segments *segments) {
  if (read_header((uint64_t)object->dlfo_map_start, segments))
    return true;
  uint64_t bias = object->dlfo_link_map->l_addr;
  if (bias)
    return read_header(bias, segments);
  segments->headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
  segments->count = segments->headers ? (unsigned)getauxval(AT_PHNUM) : 0;
  return true;
}

// The file-backed part of the loaded segment that holds `address`.
static bool find_segment(const struct dl_find_object *object, uint64_t address,
                         struct unwind_view *view, uint32_t *flags) {
  struct segments segments;
  if (!find_segments(object, &segments))
    return false;
  for (unsigned i = 0; i < segments.count; i++) {
    const Elf64_Phdr *segment = &segments.headers[i];
    uint64_t start = object->dlfo_link_map->l_addr + segment->p_vaddr;
    if (segment->p_type != PT_LOAD || address - start >= segment->p_filesz)
      continue;
    view->bytes = (const uint8_t *)start;
    view->address = start;
    view->size = segment->p_filesz;
    *flags = segment->p_flags;
    return true;
  }
  return false;
}

static struct unwind_row row_of_kind(enum unwind_cfa kind) {
  struct unwind_row row = {0, 0, -1, kind, UNWIND_RBP_SAME};
  return row;
}

// Code that a compiler wrote at run time belongs to no object. Whether it can be executed is not
// known, but that a call precedes a return address can be seen.
static struct unwind_row row_of_memory(uint64_t address) {
  enum { longest_call = 7 };
  uint64_t return_address = address + 1;
  uint64_t start = return_address - longest_call;
  struct unwind_view code = {(const uint8_t *)start, start, longest_call};
  bool is_call = unwind_is_readable(start) && unwind_follows_call(&code, return_address);
  return row_of_kind(is_call ? UNWIND_NO_ENTRY : UNWIND_NO_CODE);
}

struct unwind_row unwind_live_row(uint64_t address) {
  struct dl_find_object object;
  if (_dl_find_object((void *)address, &object) != 0)
    return row_of_memory(address);
  struct unwind_view code;
  uint32_t flags;
  if (!find_segment(&object, address, &code, &flags) || !(flags & PF_X))
    return row_of_kind(UNWIND_NO_CODE);
  if (!(flags & PF_R))
    code.size = 0;
  struct unwind_section section;
  section.format = UNWIND_EH_FRAME;
  struct unwind_entry entry;
  uint64_t header = (uint64_t)object.dlfo_eh_frame;
  bool has_entry = header && find_segment(&object, header, &section.view, &flags) &&
                   (flags & PF_R) && unwind_search(&section, header, address, &entry);
  return unwind_row_of(&section, has_entry ? &entry : 0, &code, address);
}
