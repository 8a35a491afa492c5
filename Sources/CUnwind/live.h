// What a walk asks of the process it runs in.

#ifndef UNWIND_LIVE_H
#define UNWIND_LIVE_H

#include <unwind_walk.h>

// The row for the code at `address`, from the tables of the object that it is in.
struct unwind_row unwind_live_row(uint64_t address);

// Asks the kernel whether eight bytes can be read.
bool unwind_is_readable(uint64_t address);

// Makes sure that [address, address + 8) is in the window, by asking the kernel for pages above
// it. False when it cannot be read, or is below the window or far above it.
bool unwind_reach(struct unwind_window *window, uint64_t address);

// Moves the window to the stack that rsp points into.
void unwind_enter(struct unwind_window *window, uint64_t rsp);

#endif
