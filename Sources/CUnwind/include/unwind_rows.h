// Call frame information (DWARF 5, 6.4; LSB 5.0, 10.6) as rows: how to get from one frame to its
// caller, for one pc of x86-64 code, in eight bytes.
//
// Compiled into the recorder, which reads files, and into agents inside other people's programs,
// where tables are read in place. So nothing here allocates, locks, sets errno or calls the C
// library, and no input makes it read outside the bytes it was given.

#ifndef UNWIND_ROWS_H
#define UNWIND_ROWS_H

#include <stdbool.h>
#include <stdint.h>

// Set in the pc of a frame that was interrupted, not left by a call: its pc is the next
// instruction, where that of a caller is a return address, one past the call.
#define UNWIND_EXACT (UINT64_C(1) << 63)

// The registers that name a frame.
struct unwind_frame {
  uint64_t pc; // with UNWIND_EXACT where that is so
  uint64_t rsp;
  uint64_t rbp;
};

// How the canonical frame address (CFA) is found: rsp before the call, rsp after the return.
enum unwind_cfa {
  UNWIND_CFA_RSP,    // rsp + cfa_offset
  UNWIND_CFA_RBP,    // rbp + cfa_offset
  UNWIND_CFA_AT_RSP, // the word at rsp + cfa_offset, plus 8 * words
  UNWIND_CFA_AT_RBP, // the word at rbp + cfa_offset, plus 8 * words
  // No CFA: all registers are in the context that the kernel left at rsp for a signal handler.
  UNWIND_SIGNAL_RETURN,
  UNWIND_OUTERMOST,     // the return address is undefined: there is no caller
  UNWIND_NO_ENTRY,      // nothing describes this pc
  UNWIND_NO_CODE,       // nor does it look like a place that was called from
  UNWIND_INEXPRESSIBLE, // described, but not by this row format, or the description is broken
};

// Where the caller's rbp is.
enum unwind_rbp {
  UNWIND_RBP_SAME,    // not changed
  UNWIND_RBP_AT_CFA,  // the word at CFA + rbp_offset
  UNWIND_RBP_AT_RBP,  // the word at rbp + rbp_offset
  UNWIND_RBP_UNKNOWN, // lost
};

struct unwind_row {
  int32_t cfa_offset;
  int16_t rbp_offset;
  // The return address is at CFA + 8 * words where the CFA is computed from a register
  // (ordinarily -1), and at CFA - 8 where it is loaded.
  int8_t words;
  uint8_t cfa : 4; // enum unwind_cfa
  uint8_t rbp : 4; // enum unwind_rbp
};
_Static_assert(sizeof(struct unwind_row) == 8, "a row and its key are one cache entry");

// `size` bytes, of which the first has `address` in the program: the same number where tables are
// read in place, a file address where they are read from a file.
struct unwind_view {
  const uint8_t *bytes;
  uint64_t address;
  uint64_t size;
};

enum unwind_format {
  UNWIND_EH_FRAME,
  UNWIND_DEBUG_FRAME,
};

// A section of entries, or something larger that holds it. For .debug_frame it must be the
// section alone, with the address 0.
struct unwind_section {
  struct unwind_view view;
  enum unwind_format format;
};

// A frame description entry.
struct unwind_entry {
  uint64_t start; // code it describes: [start, end)
  uint64_t end;
  uint64_t address; // of the entry itself
};

// Finds the entry whose code contains `pc` through the search table of .eh_frame_hdr, which is at
// `header` in the same view as .eh_frame. False also when there is no table of the one form that
// linkers write.
bool unwind_search(const struct unwind_section *section, uint64_t header, uint64_t pc,
                   struct unwind_entry *entry);

// Whether .eh_frame_hdr has a search table that unwind_search can use.
bool unwind_has_table(const struct unwind_section *section, uint64_t header);

// Reads entries one after the other, to build an index of a section without a search table.
// `position` is the address to begin at, and is moved on. False at the end. Entries may come in
// any order, overlap, or describe nothing that is left in the file (their start is then 0).
bool unwind_next_entry(const struct unwind_section *section, uint64_t *position,
                       struct unwind_entry *entry);

// The row for `pc`. Of a caller's frame ask for the byte before its return address, which is
// inside the call; of an interrupted one for its pc.
struct unwind_row unwind_row_of_entry(const struct unwind_section *section,
                                      const struct unwind_entry *entry, uint64_t pc);

// What code tells that C libraries have no entry for: whether a frame with this return address
// returns from a signal, is outermost, or neither (UNWIND_NO_ENTRY).
enum unwind_cfa unwind_known_code(const struct unwind_view *code, uint64_t return_address);

// The row for `pc` from all that is known. `entry` is null where none contains it. What follows
// `pc` decides there, and also at an entry's last byte: a return address just behind the entry is
// the start of code that no call leads to.
struct unwind_row unwind_row_of(const struct unwind_section *section,
                                const struct unwind_entry *entry, const struct unwind_view *code,
                                uint64_t pc);

// Whether the code that ends at a return address can be a call instruction.
bool unwind_follows_call(const struct unwind_view *code, uint64_t return_address);

// What a walk reads of the program that it unwinds. `load` reads eight bytes of its stack;
// `can_return_to` says whether an address is one in code, behind a call.
struct unwind_memory {
  bool (*load)(void *context, uint64_t address, uint64_t *value);
  bool (*can_return_to)(void *context, uint64_t address);
  void *context;
};

enum unwind_ending {
  UNWIND_CONTINUES,     // there is a caller
  UNWIND_COMPLETE,      // the row says that this frame has none
  UNWIND_NO_INFO,       // no entry, and rbp is no frame pointer
  UNWIND_NOT_SUPPORTED, // an entry that rows cannot express
  UNWIND_BROKEN_CHAIN,  // the caller cannot be: its frame is not above, or its pc is no address
  UNWIND_UNREADABLE,    // the stack could not be read
  UNWIND_TOO_DEEP,      // more frames than there was room for
};

// Replaces `frame` by its caller.
enum unwind_ending unwind_step(struct unwind_row row, struct unwind_frame *frame,
                               const struct unwind_memory *memory);

// The address to look up for a frame with this pc.
static inline uint64_t unwind_lookup_address(uint64_t pc) {
  return pc & UNWIND_EXACT ? pc & ~UNWIND_EXACT : pc - 1;
}

#endif
