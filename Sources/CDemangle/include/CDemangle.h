// Demanglers: libiberty's for C++, Rust and D, and the Swift runtime's, which this program links
// anyway.
#ifndef QPROF_CDEMANGLE_H
#define QPROF_CDEMANGLE_H

#include <stddef.h>

// Each writes the readable form of `mangled` to `output`, without a terminator, and returns its
// length. 0: not a mangled name of that language, or the readable form exceeds `capacity`.
size_t qprof_demangle_cxx(const char *_Nonnull mangled, char *_Nonnull output, size_t capacity);
size_t qprof_demangle_rust(const char *_Nonnull mangled, char *_Nonnull output, size_t capacity);
size_t qprof_demangle_d(const char *_Nonnull mangled, char *_Nonnull output, size_t capacity);
// Simplified: no modules, no types of arguments and results.
size_t qprof_demangle_swift(const char *_Nonnull mangled, char *_Nonnull output, size_t capacity);

#endif
