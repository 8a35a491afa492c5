#include "fuzz_cfi.h"
#include <unwind_rows.h>

enum { most_entries = 64 };

static const uint64_t address = 0x1000;

static void look_up(const struct unwind_section *section, uint64_t header,
                    const struct unwind_entry *entry) {
  uint64_t inside[] = {entry->start, entry->start + 1,
                       entry->start + (entry->end - entry->start) / 2, entry->end - 1};
  for (unsigned i = 0; i < sizeof inside / sizeof *inside; i++) {
    struct unwind_row row = unwind_row_of_entry(section, entry, inside[i]);
    if (row.cfa > UNWIND_INEXPRESSIBLE || row.rbp > UNWIND_RBP_UNKNOWN)
      __builtin_trap();
    struct unwind_entry found;
    if (unwind_search(section, header, inside[i], &found))
      unwind_row_of_entry(section, &found, inside[i]);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  bool is_debug_frame = data[0] & 1;
  struct unwind_section section = {{data + 2, is_debug_frame ? 0 : address, size - 2},
                                   is_debug_frame ? UNWIND_DEBUG_FRAME : UNWIND_EH_FRAME};
  uint64_t header = section.view.address + data[1];
  unwind_has_table(&section, header);
  uint64_t position = section.view.address;
  struct unwind_entry entry;
  for (unsigned i = 0; i < most_entries && unwind_next_entry(&section, &position, &entry); i++) {
    if (entry.start >= entry.end)
      __builtin_trap();
    look_up(&section, header, &entry);
  }
  return 0;
}
