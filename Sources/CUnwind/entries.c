#include "entries.h"

enum {
  pe_format = 0x0f,
  pe_base = 0x70,
  pe_pcrel = 0x10,
  pe_datarel = 0x30,
  pe_omit = 0xff,
  most_letters = 16, // of an augmentation string; six are in use
};

uint64_t unwind_pointer(struct unwind_reader *reader, uint8_t encoding, uint64_t base) {
  if (encoding == pe_omit)
    return 0;
  uint64_t field = reader->address;
  uint64_t value = 0;
  switch (encoding & pe_format) {
  case 0x00: // absptr
  case 0x04: // udata8
  case 0x0c:
    value = unwind_unsigned(reader, 8);
    break;
  case 0x01:
    value = unwind_uleb(reader);
    break;
  case 0x02:
    value = unwind_unsigned(reader, 2);
    break;
  case 0x03:
    value = unwind_unsigned(reader, 4);
    break;
  case 0x09:
    value = (uint64_t)unwind_sleb(reader);
    break;
  case 0x0a:
    value = (uint64_t)unwind_signed(reader, 2);
    break;
  case 0x0b:
    value = (uint64_t)unwind_signed(reader, 4);
    break;
  default:
    reader->broken = true;
  }
  switch (encoding & pe_base) {
  case 0:
    return value;
  case pe_pcrel:
    return field + value;
  case pe_datarel:
    return base + value;
  default:
    reader->broken = true;
    return 0;
  }
}

// One entry, common or frame description.
struct entry {
  struct unwind_reader content; // after the field that tells which
  uint64_t common;              // address of its common entry
  bool is_common;
  bool is_wide; // 64-bit DWARF
};

// Takes the entry that begins at `reader`, which goes on after it. False at a terminator and when
// it is no entry.
static bool take_entry(struct unwind_reader *reader, enum unwind_format format,
                       struct entry *entry) {
  uint64_t length = unwind_unsigned(reader, 4);
  entry->is_wide = length == UINT32_MAX;
  if (entry->is_wide)
    length = unwind_unsigned(reader, 8);
  if (length == 0)
    return false;
  entry->content = unwind_slice(reader, length);
  uint64_t field = entry->content.address;
  if (format == UNWIND_EH_FRAME) {
    uint64_t distance = unwind_unsigned(&entry->content, 4);
    entry->is_common = distance == 0;
    entry->common = field - distance;
  } else {
    entry->common = unwind_unsigned(&entry->content, entry->is_wide ? 8 : 4);
    entry->is_common = entry->common == (entry->is_wide ? UINT64_MAX : UINT32_MAX);
  }
  return !entry->content.broken;
}

// Reads the augmentation string's letters and the data that they announce. False when an unknown
// one leaves it open where the instructions begin.
static bool read_augmentation(struct unwind_reader text, struct unwind_reader *content,
                              uint8_t *encoding, bool *has_data) {
  uint64_t letter = unwind_unsigned(&text, 1);
  *has_data = letter == 'z';
  if (letter == 0)
    return true;
  if (letter != 'z')
    return false;
  struct unwind_reader data = unwind_slice(content, unwind_uleb(content));
  while ((letter = unwind_unsigned(&text, 1)) != 0) {
    if (letter == 'R') {
      *encoding = (uint8_t)unwind_unsigned(&data, 1);
    } else if (letter == 'P') {
      uint8_t personality = (uint8_t)unwind_unsigned(&data, 1);
      unwind_pointer(&data, personality, 0);
    } else if (letter == 'L') {
      unwind_skip(&data, 1);
    } else if (letter != 'S' && letter != 'B') {
      break; // What follows is unknown, and so is only skipped.
    }
  }
  return !data.broken;
}

static bool read_common(const struct unwind_section *section, uint64_t address,
                        struct unwind_description *description, bool *has_data) {
  struct unwind_reader reader = unwind_reader_at(&section->view, address);
  struct entry entry;
  if (!take_entry(&reader, section->format, &entry) || !entry.is_common)
    return false;
  struct unwind_reader *content = &entry.content;
  uint64_t version = unwind_unsigned(content, 1);
  if (version != 1 && version != 3 && version != 4)
    return false;
  struct unwind_reader text = *content;
  unsigned letters = 0;
  while (unwind_unsigned(content, 1) != 0)
    if (++letters > most_letters)
      return false;
  // Version 4 adds the sizes of an address and of a segment selector; only 8 and 0 are met here.
  if (version == 4 && unwind_unsigned(content, 2) != 8)
    return false;
  description->code_alignment = unwind_uleb(content);
  description->data_alignment = unwind_sleb(content);
  description->return_column = version == 1 ? unwind_unsigned(content, 1) : unwind_uleb(content);
  description->encoding = 0;
  if (content->broken || !read_augmentation(text, content, &description->encoding, has_data))
    return false;
  description->common_instructions = *content;
  return !content->broken;
}

static bool describe(const struct unwind_section *section, struct entry *entry,
                     struct unwind_description *description) {
  bool has_data;
  if (entry->is_common || !read_common(section, entry->common, description, &has_data))
    return false;
  struct unwind_reader *content = &entry->content;
  description->start = unwind_pointer(content, description->encoding, 0);
  // The size has the format of the address, and is relative to nothing.
  uint64_t size = unwind_pointer(content, description->encoding & pe_format, 0);
  if (has_data)
    unwind_skip(content, unwind_uleb(content));
  description->end = description->start + size;
  description->instructions = *content;
  return !content->broken && description->end > description->start;
}

bool unwind_describe(const struct unwind_section *section, uint64_t address,
                     struct unwind_description *description) {
  struct unwind_reader reader = unwind_reader_at(&section->view, address);
  struct entry entry;
  return take_entry(&reader, section->format, &entry) && describe(section, &entry, description);
}

bool unwind_next_entry(const struct unwind_section *section, uint64_t *position,
                       struct unwind_entry *found) {
  struct unwind_reader reader = unwind_reader_at(&section->view, *position);
  while (unwind_more(&reader)) {
    uint64_t address = reader.address;
    struct entry entry;
    struct unwind_description description;
    // Some linkers leave a terminator in the middle, so it is passed over.
    if (take_entry(&reader, section->format, &entry) && describe(section, &entry, &description)) {
      found->start = description.start;
      found->end = description.end;
      found->address = address;
      *position = reader.address;
      return true;
    }
  }
  return false;
}

// The sorted table of .eh_frame_hdr: pairs of a start of code and its entry, both as 32-bit
// distances from the header.
struct table {
  struct unwind_reader rows;
  uint64_t header;
  uint64_t count;
};

static bool open_table(const struct unwind_section *section, uint64_t header, struct table *table) {
  struct unwind_reader reader = unwind_reader_at(&section->view, header);
  uint64_t version = unwind_unsigned(&reader, 1);
  uint8_t frames_encoding = (uint8_t)unwind_unsigned(&reader, 1);
  uint8_t count_encoding = (uint8_t)unwind_unsigned(&reader, 1);
  uint8_t table_encoding = (uint8_t)unwind_unsigned(&reader, 1);
  if (version != 1 || table_encoding != 0x3b || count_encoding == pe_omit)
    return false;
  unwind_pointer(&reader, frames_encoding, header);
  table->header = header;
  table->count = unwind_pointer(&reader, count_encoding, header);
  table->rows = reader;
  return !reader.broken && table->count > 0 && table->count <= unwind_remaining(&reader) / 8;
}

bool unwind_has_table(const struct unwind_section *section, uint64_t header) {
  struct table table;
  return open_table(section, header, &table);
}

// Field 0 of a row is the start of its code, field 1 its entry.
static uint64_t table_address(const struct table *table, uint64_t row, unsigned field) {
  struct unwind_reader reader = table->rows;
  unwind_skip(&reader, 8 * row + 4 * field);
  return table->header + (uint64_t)unwind_signed(&reader, 4);
}

// The entry of the last row that does not begin after `pc`.
static bool search(const struct unwind_section *section, uint64_t header, uint64_t pc,
                   uint64_t *address) {
  struct table table;
  if (!open_table(section, header, &table))
    return false;
  uint64_t low = 0;
  uint64_t high = table.count;
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (table_address(&table, middle, 0) <= pc)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0)
    return false;
  *address = table_address(&table, low - 1, 1);
  return true;
}

bool unwind_search(const struct unwind_section *section, uint64_t header, uint64_t pc,
                   struct unwind_entry *entry) {
  struct unwind_description description;
  if (!search(section, header, pc, &entry->address) ||
      !unwind_describe(section, entry->address, &description))
    return false;
  entry->start = description.start;
  entry->end = description.end;
  return pc >= entry->start && pc < entry->end;
}
