// Reads little-endian values that lie at known addresses. Once a read would pass the end, all
// further ones give zero and `broken` stays set.

#ifndef UNWIND_READER_H
#define UNWIND_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <unwind_rows.h>

struct unwind_reader {
  const uint8_t *next;
  const uint8_t *end;
  uint64_t address; // of next
  bool broken;
};

// Reads from `address` to the end of the view.
static inline struct unwind_reader unwind_reader_at(const struct unwind_view *view,
                                                    uint64_t address) {
  uint64_t offset = address - view->address;
  bool is_inside = offset < view->size;
  struct unwind_reader reader;
  reader.next = is_inside ? view->bytes + offset : view->bytes;
  reader.end = is_inside ? view->bytes + view->size : view->bytes;
  reader.address = address;
  reader.broken = !is_inside;
  return reader;
}

static inline uint64_t unwind_remaining(const struct unwind_reader *reader) {
  return (uint64_t)(reader->end - reader->next);
}

static inline bool unwind_more(const struct unwind_reader *reader) {
  return !reader->broken && reader->next != reader->end;
}

static inline void unwind_skip(struct unwind_reader *reader, uint64_t count) {
  if (reader->broken || count > unwind_remaining(reader)) {
    reader->broken = true;
    return;
  }
  reader->next += count;
  reader->address += count;
}

// The next `count` bytes as a reader of their own; this one goes on after them.
static inline struct unwind_reader unwind_slice(struct unwind_reader *reader, uint64_t count) {
  struct unwind_reader slice = *reader;
  unwind_skip(reader, count);
  slice.end = reader->next;
  slice.broken = reader->broken;
  return slice;
}

// An unsigned value of 1, 2, 4 or 8 bytes.
static inline uint64_t unwind_unsigned(struct unwind_reader *reader, unsigned size) {
  const uint8_t *bytes = reader->next;
  unwind_skip(reader, size);
  if (reader->broken)
    return 0;
  uint64_t value = 0;
  for (unsigned i = 0; i < size; i++)
    value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

static inline int64_t unwind_signed(struct unwind_reader *reader, unsigned size) {
  unsigned unused = 64 - 8 * size;
  return (int64_t)(unwind_unsigned(reader, size) << unused) >> unused;
}

// LEB128 (DWARF 5, 7.6). Bits above 64 are dropped; numbers padded to more than 16 bytes are not
// read, so that no table is read a second time for each of its entries.
static inline uint64_t unwind_leb(struct unwind_reader *reader, bool is_signed) {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 7 * 16; shift += 7) {
    uint64_t byte = unwind_unsigned(reader, 1);
    if (shift < 64)
      value |= (byte & 0x7f) << shift;
    if (byte & 0x80)
      continue;
    if (is_signed && (byte & 0x40) && shift + 7 < 64)
      value |= ~UINT64_C(0) << (shift + 7);
    return value;
  }
  reader->broken = true;
  return 0;
}

static inline uint64_t unwind_uleb(struct unwind_reader *reader) {
  return unwind_leb(reader, false);
}

static inline int64_t unwind_sleb(struct unwind_reader *reader) {
  return (int64_t)unwind_leb(reader, true);
}

#endif
