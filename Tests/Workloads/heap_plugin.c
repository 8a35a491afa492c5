// A plugin of heap_plugins, built twice: the functions NAME are different ones at one offset.
#include "heap.h"

site void *NAME(size_t size) { return keep(malloc(size)); }
