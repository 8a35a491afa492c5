#include "expression.h"

// DWARF numbers of registers, and operations; lit0 and breg0 are the first of 32 each.
enum { rbp = 6, rsp = 7, rip = 16 };
enum { op_minus = 0x1c, op_plus = 0x22, op_lit0 = 0x30, op_breg0 = 0x70 };
enum { stack_size = 8 };

struct machine {
  struct unwind_value stack[stack_size];
  unsigned depth;
  bool failed;
};

static const struct unwind_value unknown = {0, 0, UNWIND_BASE_OTHER};

static void push(struct machine *machine, enum unwind_base base, uint64_t offset) {
  if (machine->depth == stack_size) {
    machine->failed = true;
    return;
  }
  struct unwind_value value = {(int64_t)offset, 0, base};
  machine->stack[machine->depth++] = value;
}

static struct unwind_value pop(struct machine *machine) {
  if (machine->depth == 0) {
    machine->failed = true;
    return unknown;
  }
  return machine->stack[--machine->depth];
}

static void push_register(struct machine *machine, unsigned number, uint64_t offset, uint64_t pc) {
  switch (number) {
  case rsp:
    return push(machine, UNWIND_BASE_RSP, offset);
  case rbp:
    return push(machine, UNWIND_BASE_RBP, offset);
  case rip:
    return push(machine, UNWIND_BASE_NONE, pc + offset);
  default:
    return push(machine, UNWIND_BASE_OTHER, 0);
  }
}

static void dereference(struct machine *machine) {
  struct unwind_value value = pop(machine);
  bool is_near = value.offset == (int32_t)value.offset;
  if (value.base == UNWIND_BASE_RSP && is_near)
    push(machine, UNWIND_BASE_AT_RSP, 0);
  else if (value.base == UNWIND_BASE_RBP && is_near)
    push(machine, UNWIND_BASE_AT_RBP, 0);
  else
    push(machine, UNWIND_BASE_OTHER, 0);
  if (!machine->failed)
    machine->stack[machine->depth - 1].slot = (int32_t)value.offset;
}

// An operation without operands in the code and with two on the stack.
static uint64_t compute(struct machine *machine, uint8_t operation, uint64_t left, uint64_t right) {
  switch (operation) {
  case 0x1a:
    return left & right;
  case op_minus:
    return left - right;
  case 0x21:
    return left | right;
  case op_plus:
    return left + right;
  case 0x24:
    return right < 64 ? left << right : 0;
  case 0x25:
    return right < 64 ? left >> right : 0;
  case 0x29:
    return left == right;
  case 0x2a:
    return (int64_t)left >= (int64_t)right;
  case 0x2b:
    return (int64_t)left > (int64_t)right;
  case 0x2c:
    return (int64_t)left <= (int64_t)right;
  case 0x2d:
    return (int64_t)left < (int64_t)right;
  case 0x2e:
    return left != right;
  default:
    machine->failed = true;
    return 0; // its operands cannot be skipped
  }
}

static void combine(struct machine *machine, uint8_t operation) {
  struct unwind_value right = pop(machine);
  struct unwind_value left = pop(machine);
  uint64_t sum = compute(machine, operation, (uint64_t)left.offset, (uint64_t)right.offset);
  // A base can have a number added or taken away; all else is for numbers alone.
  bool known = left.base == UNWIND_BASE_NONE && right.base == UNWIND_BASE_NONE;
  if (operation == op_plus)
    known = left.base == UNWIND_BASE_NONE || right.base == UNWIND_BASE_NONE;
  else if (operation == op_minus)
    known = right.base == UNWIND_BASE_NONE;
  struct unwind_value result = right.base == UNWIND_BASE_NONE ? left : right;
  push(machine, known ? result.base : UNWIND_BASE_OTHER, sum);
  if (!machine->failed)
    machine->stack[machine->depth - 1].slot = result.slot;
}

static void run(struct machine *machine, struct unwind_reader *reader, uint64_t pc) {
  uint8_t operation = (uint8_t)unwind_unsigned(reader, 1);
  if (operation >= op_lit0 && operation < op_lit0 + 32)
    return push(machine, UNWIND_BASE_NONE, operation - op_lit0);
  if (operation >= op_breg0 && operation < op_breg0 + 32) {
    uint64_t offset = (uint64_t)unwind_sleb(reader);
    return push_register(machine, operation - op_breg0, offset, pc);
  }
  switch (operation) {
  case 0x06:
    return dereference(machine);
  case 0x08:
    return push(machine, UNWIND_BASE_NONE, unwind_unsigned(reader, 1));
  case 0x09:
    return push(machine, UNWIND_BASE_NONE, (uint64_t)unwind_signed(reader, 1));
  case 0x0a:
    return push(machine, UNWIND_BASE_NONE, unwind_unsigned(reader, 2));
  case 0x0b:
    return push(machine, UNWIND_BASE_NONE, (uint64_t)unwind_signed(reader, 2));
  case 0x0c:
    return push(machine, UNWIND_BASE_NONE, unwind_unsigned(reader, 4));
  case 0x0d:
    return push(machine, UNWIND_BASE_NONE, (uint64_t)unwind_signed(reader, 4));
  case 0x0e:
  case 0x0f:
    return push(machine, UNWIND_BASE_NONE, unwind_unsigned(reader, 8));
  case 0x10:
    return push(machine, UNWIND_BASE_NONE, unwind_uleb(reader));
  case 0x11:
    return push(machine, UNWIND_BASE_NONE, (uint64_t)unwind_sleb(reader));
  case 0x23: // plus_uconst
    push(machine, UNWIND_BASE_NONE, unwind_uleb(reader));
    return combine(machine, op_plus);
  case 0x92: { // bregx
    uint64_t number = unwind_uleb(reader);
    uint64_t offset = (uint64_t)unwind_sleb(reader);
    return push_register(machine, number < 32 ? (unsigned)number : 0, offset, pc);
  }
  case 0x96:
    return; // nop
  default:
    return combine(machine, operation);
  }
}

struct unwind_value unwind_evaluate(struct unwind_reader expression, uint64_t pc) {
  struct machine machine;
  machine.depth = 0;
  machine.failed = false;
  while (unwind_more(&expression) && !machine.failed)
    run(&machine, &expression, pc);
  struct unwind_value result = pop(&machine);
  return machine.failed || expression.broken ? unknown : result;
}
