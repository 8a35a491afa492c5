// A library of heap_destructors: its constructor allocates before main, its destructor frees after
// it, and may come before and after those of a preloaded library.
#include "heap.h"

static void *block;

site static void *late_library(void) { return keep(malloc(500)); }

__attribute__((constructor)) static void begin(void) { block = late_library(); }

__attribute__((destructor)) static void end(void) { free(block); }
