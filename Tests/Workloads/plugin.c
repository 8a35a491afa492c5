// The shared object that throws.cc loads and unloads.
#include "burn.h"

uint64_t plugin_work(uint64_t steps) { return burn(steps, 3); }
