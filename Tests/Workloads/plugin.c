// The shared object that throws.cc loads and unloads, and that edges.c is linked against.
#include "burn.h"

uint64_t plugin_work(uint64_t steps);
uint64_t plugin_step(uint64_t x);

uint64_t plugin_work(uint64_t steps) { return burn(steps, 3); }

uint64_t plugin_step(uint64_t x) { return x * 3 + 1; }
