// Demanglers: libiberty's for C++, Rust and D, and the Swift runtime's, which this program links
// anyway. libiberty's demangle.h is not included: it needs ansidecl.h, which clashes with others.
#ifndef QPROF_CDEMANGLE_SHIM_H
#define QPROF_CDEMANGLE_SHIM_H

#include <stddef.h>
#include <stdint.h>

// Options of libiberty's demangle.h.
enum {
  QPROF_DMGL_PARAMS = 1 << 0,
  QPROF_DMGL_ANSI = 1 << 1,
  QPROF_DMGL_AUTO = 1 << 8,
  QPROF_DMGL_GNU_V3 = 1 << 14,
  QPROF_DMGL_DLANG = 1 << 16,
  QPROF_DMGL_RUST = 1 << 17,
  QPROF_DMGL_NO_RECURSE_LIMIT = 1 << 18,
};

// The result is malloc'ed, or NULL when the name is not a mangled one.
char *_Nullable cplus_demangle(const char *_Nonnull mangled, int options);
char *_Nullable rust_demangle(const char *_Nonnull mangled, int options);
char *_Nullable dlang_demangle(const char *_Nonnull mangled, int options);

// Runtime of Swift: `flags` must be 0. The result is malloc'ed when `output` is NULL.
char *_Nullable swift_demangle(const char *_Nonnull mangled, size_t length, char *_Nullable output,
                               size_t *_Nullable outputSize, uint32_t flags);

#endif
