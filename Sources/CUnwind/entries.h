#ifndef UNWIND_ENTRIES_H
#define UNWIND_ENTRIES_H

#include "reader.h"

// A frame description entry with what it needs of its common entry.
struct unwind_description {
  uint64_t start;
  uint64_t end;
  struct unwind_reader common_instructions;
  struct unwind_reader instructions;
  uint64_t code_alignment;
  int64_t data_alignment;
  uint64_t return_column;
  uint8_t encoding; // of addresses, DW_EH_PE_*
};

// A pointer in one of the encodings that linked files use; breaks the reader at others. An
// indirect one is not followed. `base` is what datarel counts from.
uint64_t unwind_pointer(struct unwind_reader *reader, uint8_t encoding, uint64_t base);

// False when there is no readable frame description entry at `address`.
bool unwind_describe(const struct unwind_section *section, uint64_t address,
                     struct unwind_description *description);

#endif
