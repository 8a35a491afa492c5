#include "entries.h"
#include "expression.h"

// DWARF numbers of the registers whose rules matter.
enum { rbp = 6, rsp = 7, rip = 16, most_remembered = 8 };

enum rule_kind {
  rule_same,      // also where nothing was said
  rule_at_cfa,    // saved at CFA + offset
  rule_at,        // saved at value
  rule_cfa,       // is CFA + offset
  rule_undefined, // lost
  rule_other,     // something that rows do not say
};

struct rule {
  struct unwind_value value; // of rule_at_cfa and rule_cfa only the offset
  enum rule_kind kind;
};

struct state {
  struct unwind_value cfa;
  struct rule rbp;
  struct rule rsp;
  struct rule rip;
};

struct machine {
  const struct unwind_description *description;
  uint64_t pc;
  uint64_t location;
  struct state now;
  struct state initial; // after the common entry, for DW_CFA_restore
  struct state remembered[most_remembered];
  unsigned depth;
};

// Member by member: of a whole state the compiler may make a call to memcpy, which is not ours.
static void copy(struct state *to, const struct state *from) {
  to->cfa = from->cfa;
  to->rbp = from->rbp;
  to->rsp = from->rsp;
  to->rip = from->rip;
}

static struct rule *rule_of(struct state *state, uint64_t number) {
  switch (number) {
  case rbp:
    return &state->rbp;
  case rsp:
    return &state->rsp;
  case rip:
    return &state->rip;
  default:
    return 0;
  }
}

static void set(struct machine *machine, uint64_t number, enum rule_kind kind, int64_t offset) {
  struct rule *rule = rule_of(&machine->now, number);
  if (!rule)
    return;
  rule->kind = kind;
  rule->value.offset = offset;
}

static void restore(struct machine *machine, uint64_t number) {
  struct rule *rule = rule_of(&machine->now, number);
  if (rule)
    *rule = *rule_of(&machine->initial, number);
}

static enum unwind_base base_of(uint64_t number) {
  return number == rsp ? UNWIND_BASE_RSP : number == rbp ? UNWIND_BASE_RBP : UNWIND_BASE_OTHER;
}

static bool is_loaded(const struct unwind_value *value) {
  return value->base == UNWIND_BASE_AT_RSP || value->base == UNWIND_BASE_AT_RBP;
}

// Products of what a file says may wrap; they then miss every address and offset there is.
static int64_t scaled(const struct machine *machine, int64_t factor) {
  return (int64_t)((uint64_t)factor * (uint64_t)machine->description->data_alignment);
}

// False past the end of the address space.
static bool advance(struct machine *machine, uint64_t steps) {
  uint64_t distance;
  return !__builtin_mul_overflow(steps, machine->description->code_alignment, &distance) &&
         !__builtin_add_overflow(machine->location, distance, &machine->location);
}

static bool remember(struct machine *machine) {
  if (machine->depth == most_remembered)
    return false;
  copy(&machine->remembered[machine->depth++], &machine->now);
  return true;
}

static bool recall(struct machine *machine) {
  if (machine->depth == 0)
    return false;
  copy(&machine->now, &machine->remembered[--machine->depth]);
  return true;
}

static struct unwind_value read_expression(struct machine *machine, struct unwind_reader *reader) {
  struct unwind_reader expression = unwind_slice(reader, unwind_uleb(reader));
  return unwind_evaluate(expression, machine->pc);
}

// Instructions that say where a register is, beyond the two with an operand in the opcode.
static bool run_rule(struct machine *machine, uint8_t opcode, struct unwind_reader *reader) {
  uint64_t number = unwind_uleb(reader);
  switch (opcode) {
  case 0x05: // offset_extended
    set(machine, number, rule_at_cfa, scaled(machine, (int64_t)unwind_uleb(reader)));
    return true;
  case 0x06:
    restore(machine, number);
    return true;
  case 0x07:
    set(machine, number, rule_undefined, 0);
    return true;
  case 0x08:
    set(machine, number, rule_same, 0);
    return true;
  case 0x09: // register
    unwind_uleb(reader);
    set(machine, number, rule_other, 0);
    return true;
  case 0x10: { // expression
    struct unwind_value value = read_expression(machine, reader);
    set(machine, number, rule_at, 0);
    struct rule *rule = rule_of(&machine->now, number);
    if (rule)
      rule->value = value;
    return true;
  }
  case 0x11: // offset_extended_sf
    set(machine, number, rule_at_cfa, scaled(machine, unwind_sleb(reader)));
    return true;
  case 0x14: // val_offset
    set(machine, number, rule_cfa, scaled(machine, (int64_t)unwind_uleb(reader)));
    return true;
  case 0x15: // val_offset_sf
    set(machine, number, rule_cfa, scaled(machine, unwind_sleb(reader)));
    return true;
  case 0x16: // val_expression
    unwind_skip(reader, unwind_uleb(reader));
    set(machine, number, rule_other, 0);
    return true;
  case 0x2f: // GNU_negative_offset_extended
    set(machine, number, rule_at_cfa, -scaled(machine, (int64_t)unwind_uleb(reader)));
    return true;
  default:
    return false;
  }
}

// All other instructions. False when one is unknown or cannot be.
static bool run_other(struct machine *machine, uint8_t opcode, struct unwind_reader *reader) {
  struct unwind_value *cfa = &machine->now.cfa;
  uint64_t number;
  switch (opcode) {
  case 0x00:
    return true; // nop
  case 0x01:     // set_loc
    machine->location = unwind_pointer(reader, machine->description->encoding, 0);
    return true;
  case 0x02:
    return advance(machine, unwind_unsigned(reader, 1));
  case 0x03:
    return advance(machine, unwind_unsigned(reader, 2));
  case 0x04:
    return advance(machine, unwind_unsigned(reader, 4));
  case 0x1d:
    return advance(machine, unwind_unsigned(reader, 8));
  case 0x0a:
    return remember(machine);
  case 0x0b:
    return recall(machine);
  case 0x0c: // def_cfa
    cfa->base = base_of(unwind_uleb(reader));
    cfa->offset = (int64_t)unwind_uleb(reader);
    return true;
  // The next three change one part of a register and an offset, and may not follow an expression.
  case 0x0d: // def_cfa_register
    number = unwind_uleb(reader);
    cfa->base = is_loaded(cfa) ? UNWIND_BASE_OTHER : base_of(number);
    return true;
  case 0x0e: // def_cfa_offset
    cfa->base = is_loaded(cfa) ? UNWIND_BASE_OTHER : cfa->base;
    cfa->offset = (int64_t)unwind_uleb(reader);
    return true;
  case 0x13: // def_cfa_offset_sf
    cfa->base = is_loaded(cfa) ? UNWIND_BASE_OTHER : cfa->base;
    cfa->offset = scaled(machine, unwind_sleb(reader));
    return true;
  case 0x0f:
    *cfa = read_expression(machine, reader);
    return true;
  case 0x12: // def_cfa_sf
    cfa->base = base_of(unwind_uleb(reader));
    cfa->offset = scaled(machine, unwind_sleb(reader));
    return true;
  case 0x2d:
    return true; // GNU_window_save: of another architecture
  case 0x2e:
    unwind_uleb(reader);
    return true; // GNU_args_size
  default:
    return run_rule(machine, opcode, reader);
  }
}

// Runs until the row of the pc is complete. Each instruction takes a byte at least, so this ends.
static bool run(struct machine *machine, struct unwind_reader reader) {
  while (machine->location <= machine->pc && unwind_more(&reader)) {
    uint8_t opcode = (uint8_t)unwind_unsigned(&reader, 1);
    uint8_t operand = opcode & 0x3f;
    switch (opcode & 0xc0) {
    case 0x40:
      if (!advance(machine, operand))
        return false;
      break;
    case 0x80: // offset
      set(machine, operand, rule_at_cfa, scaled(machine, (int64_t)unwind_uleb(&reader)));
      break;
    case 0xc0:
      restore(machine, operand);
      break;
    default:
      if (!run_other(machine, opcode, &reader))
        return false;
    }
  }
  return !reader.broken;
}

static struct unwind_row ending(enum unwind_cfa kind) {
  struct unwind_row row = {0, 0, -1, kind, UNWIND_RBP_SAME};
  return row;
}

static bool is_at_rsp(const struct rule *rule, int64_t offset) {
  return rule->kind == rule_at && rule->value.base == UNWIND_BASE_RSP &&
         rule->value.offset == offset;
}

// The trampoline that a signal handler returns to, as C libraries describe it: registers are in
// the ucontext_t at rsp.
static bool is_signal_return(const struct state *state) {
  return state->cfa.base == UNWIND_BASE_AT_RSP && state->cfa.slot == 160 &&
         state->cfa.offset == 0 && is_at_rsp(&state->rip, 168) && is_at_rsp(&state->rbp, 120);
}

// Sets how the CFA and the return address are found. False when rows cannot say it.
static bool express_cfa(const struct state *state, struct unwind_row *row) {
  const struct unwind_value *cfa = &state->cfa;
  int64_t at = state->rip.value.offset;
  if (state->rip.kind != rule_at_cfa || at % 8 != 0 || at / 8 != (int8_t)(at / 8))
    return false;
  if (state->rsp.kind != rule_same &&
      !(state->rsp.kind == rule_cfa && state->rsp.value.offset == 0))
    return false;
  bool loaded = is_loaded(cfa);
  int64_t offset = loaded ? cfa->slot : cfa->offset;
  int64_t words = loaded ? cfa->offset / 8 : at / 8;
  if (offset != (int32_t)offset || words != (int8_t)words)
    return false;
  if (loaded && (cfa->offset % 8 != 0 || at != -8))
    return false;
  row->cfa_offset = (int32_t)offset;
  row->words = (int8_t)words;
  switch (cfa->base) {
  case UNWIND_BASE_RSP:
    row->cfa = UNWIND_CFA_RSP;
    return true;
  case UNWIND_BASE_RBP:
    row->cfa = UNWIND_CFA_RBP;
    return true;
  case UNWIND_BASE_AT_RSP:
    row->cfa = UNWIND_CFA_AT_RSP;
    return true;
  case UNWIND_BASE_AT_RBP:
    row->cfa = UNWIND_CFA_AT_RBP;
    return true;
  default:
    return false;
  }
}

static void express_rbp(const struct rule *rule, struct unwind_row *row) {
  int64_t offset = rule->value.offset;
  bool fits = offset == (int16_t)offset;
  row->rbp = UNWIND_RBP_UNKNOWN;
  if (rule->kind == rule_same) {
    row->rbp = UNWIND_RBP_SAME;
    // A walk may then load the return address in place of rbp, and so needs no branch.
    row->rbp_offset = -8;
  } else if (rule->kind == rule_at_cfa && fits) {
    row->rbp = UNWIND_RBP_AT_CFA;
    row->rbp_offset = (int16_t)offset;
  } else if (rule->kind == rule_at && rule->value.base == UNWIND_BASE_RBP && fits) {
    row->rbp = UNWIND_RBP_AT_RBP;
    row->rbp_offset = (int16_t)offset;
  }
}

static struct unwind_row express(const struct state *state) {
  if (state->rip.kind == rule_undefined)
    return ending(UNWIND_OUTERMOST);
  if (is_signal_return(state))
    return ending(UNWIND_SIGNAL_RETURN);
  struct unwind_row row = ending(UNWIND_INEXPRESSIBLE);
  struct unwind_row expressed = row;
  if (!express_cfa(state, &expressed))
    return row;
  express_rbp(&state->rbp, &expressed);
  return expressed;
}

static struct unwind_row run_description(const struct unwind_description *description,
                                         uint64_t pc) {
  static const struct unwind_value unset = {0, 0, UNWIND_BASE_OTHER};
  static const struct rule same = {{0, 0, UNWIND_BASE_NONE}, rule_same};
  struct machine machine;
  machine.description = description;
  machine.pc = pc;
  machine.location = 0;
  machine.depth = 0;
  machine.now.cfa = unset;
  machine.now.rbp = machine.now.rsp = machine.now.rip = same;
  copy(&machine.initial, &machine.now);
  if (description->return_column != rip || !run(&machine, description->common_instructions))
    return ending(UNWIND_INEXPRESSIBLE);
  copy(&machine.initial, &machine.now);
  machine.location = description->start;
  if (!run(&machine, description->instructions))
    return ending(UNWIND_INEXPRESSIBLE);
  return express(&machine.now);
}

struct unwind_row unwind_row_of_entry(const struct unwind_section *section,
                                      const struct unwind_entry *entry, uint64_t pc) {
  struct unwind_description description;
  if (!unwind_describe(section, entry->address, &description))
    return ending(UNWIND_INEXPRESSIBLE);
  if (pc < description.start || pc >= description.end)
    return ending(UNWIND_NO_ENTRY);
  return run_description(&description, pc);
}

struct unwind_row unwind_row_of(const struct unwind_section *section,
                                const struct unwind_entry *entry, const struct unwind_view *code,
                                uint64_t pc) {
  enum unwind_cfa kind = UNWIND_NO_ENTRY;
  if (!entry || entry->end == pc + 1)
    kind = unwind_known_code(code, pc + 1);
  return entry && kind == UNWIND_NO_ENTRY ? unwind_row_of_entry(section, entry, pc) : ending(kind);
}
