// libunwind's remote interface for x86-64, and what is needed to use it at speed.

#ifndef QPROF_LIBUNWIND_SHIM_H
#define QPROF_LIBUNWIND_SHIM_H

#include <libunwind-x86_64.h>
#include <stdbool.h>

#if !__has_feature(nullability)
#define _Nonnull
#define _Nullable
#endif

// libunwind 1.6.2 masks all signals around every look-up in its cache: two system calls a frame.
// Between these two calls that masking is switched off for the calling thread, which must be the
// only one that unwinds. See signal_guard.c.
void qprof_unwinding_begins(void);
void qprof_unwinding_ends(void);

// Functions that libunwind's header declares under names that Swift does not import.
unw_addr_space_t _Nullable qprof_unw_create_addr_space(unw_accessors_t *_Nonnull accessors);
void qprof_unw_set_up_cache(unw_addr_space_t _Nonnull space);
void qprof_unw_flush_cache(unw_addr_space_t _Nonnull space);
int qprof_unw_init_remote(unw_cursor_t *_Nonnull cursor, unw_addr_space_t _Nonnull space,
                          void *_Nonnull argument);
int qprof_unw_step(unw_cursor_t *_Nonnull cursor);
int qprof_unw_get_reg(unw_cursor_t *_Nonnull cursor, int number, unw_word_t *_Nonnull value);
int qprof_unw_is_signal_frame(unw_cursor_t *_Nonnull cursor);

// A binary search table as `.eh_frame_hdr` holds it, in the address space of the target.
struct qprof_unwind_table {
  unw_word_t start; // code that the table covers
  unw_word_t end;
  unw_word_t header;      // address of .eh_frame_hdr
  unw_word_t entry_count; // rows of eight bytes, from header + 12 on
};

// Looks `ip` up in `table` and fills in `info`. Zero, or an error of libunwind.
int qprof_unw_search_table(unw_addr_space_t _Nonnull space, unw_word_t ip,
                           const struct qprof_unwind_table *_Nonnull table,
                           unw_proc_info_t *_Nonnull info, int need_unwind_info,
                           void *_Nonnull argument);

#endif
