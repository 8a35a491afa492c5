#ifndef UNWIND_EXPRESSION_H
#define UNWIND_EXPRESSION_H

#include "reader.h"

// What a DWARF expression comes to, as far as rows can say it: a base and something added.
enum unwind_base {
  UNWIND_BASE_NONE, // a number
  UNWIND_BASE_RSP,
  UNWIND_BASE_RBP,
  UNWIND_BASE_AT_RSP, // the word at rsp + slot
  UNWIND_BASE_AT_RBP, // the word at rbp + slot
  UNWIND_BASE_OTHER,  // something else
};

struct unwind_value {
  int64_t offset;
  int32_t slot;
  enum unwind_base base;
};

// `pc` is the rip that the expression is evaluated for: the rule of a linkage table looks at it.
struct unwind_value unwind_evaluate(struct unwind_reader expression, uint64_t pc);

#endif
