#include "libunwind_shim.h"

// Exported by libunwind-x86_64.so for ptrace-like users; no public header declares it.
int UNW_ARCH_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *,
                                            unw_proc_info_t *, int, void *);

enum { cache_entries = 4096, table_offset = 12 };

unw_addr_space_t qprof_unw_create_addr_space(unw_accessors_t *accessors) {
  return unw_create_addr_space(accessors, 0);
}

void qprof_unw_set_up_cache(unw_addr_space_t space) {
  unw_set_caching_policy(space, UNW_CACHE_GLOBAL);
  // The first call only builds a cache of the standard size and answers zero all the same.
  unw_set_cache_size(space, cache_entries, 0);
  unw_set_cache_size(space, cache_entries, 0);
}

void qprof_unw_flush_cache(unw_addr_space_t space) { unw_flush_cache(space, 0, 0); }

int qprof_unw_init_remote(unw_cursor_t *cursor, unw_addr_space_t space, void *argument) {
  return unw_init_remote(cursor, space, argument);
}

int qprof_unw_step(unw_cursor_t *cursor) { return unw_step(cursor); }

int qprof_unw_get_reg(unw_cursor_t *cursor, int number, unw_word_t *value) {
  return unw_get_reg(cursor, number, value);
}

int qprof_unw_is_signal_frame(unw_cursor_t *cursor) { return unw_is_signal_frame(cursor); }

int qprof_unw_search_table(unw_addr_space_t space, unw_word_t ip,
                           const struct qprof_unwind_table *table, unw_proc_info_t *info,
                           int need_unwind_info, void *argument) {
  unw_dyn_info_t dynamic = {
      .start_ip = table->start, .end_ip = table->end, .format = UNW_INFO_FORMAT_REMOTE_TABLE};
  dynamic.u.rti.segbase = table->header;
  dynamic.u.rti.table_data = table->header + table_offset;
  dynamic.u.rti.table_len = table->entry_count * 8 / sizeof(unw_word_t);
  return UNW_ARCH_OBJ(dwarf_search_unwind_table)(space, ip, &dynamic, info, need_unwind_info,
                                                 argument);
}
