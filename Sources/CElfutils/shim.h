// libelf and libdw of elfutils, as Swift sees them.
#ifndef QPROF_CELFUTILS_SHIM_H
#define QPROF_CELFUTILS_SHIM_H

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>

#endif
