#include "CDemangle.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// libiberty's demangle.h needs ansidecl.h, which defines macros under common names; these are the
// few declarations used here.
typedef void (*append_function)(const char *, size_t, void *);
int cplus_demangle_v3_callback(const char *, int, append_function, void *);
int rust_demangle_callback(const char *, int, append_function, void *);
char *dlang_demangle(const char *, int);
enum { DMGL_PARAMS = 1 << 0, DMGL_ANSI = 1 << 1, DMGL_NO_RECURSE_LIMIT = 1 << 18 };

// Of the Swift runtime, made for its own backtraces. Names of other languages than Swift and C++
// give NULL; the result is malloc'ed when `output` is NULL.
char *_swift_backtrace_demangle(const char *, size_t, char *output, size_t *outputSize);

struct output {
  char *bytes;
  size_t length;
  size_t capacity;
  jmp_buf full;
};

static void append(const char *text, size_t length, void *context) {
  struct output *output = context;
  if (length > output->capacity - output->length)
    longjmp(output->full, 1);
  memcpy(output->bytes + output->length, text, length);
  output->length += length;
}

// A name of 300 bytes can stand for gigabytes of text, by references to its own parts. The only
// way to stop a demangler is to leave it by longjmp; it keeps its state on the stack, so that
// leaks nothing (but the identifier at hand, if that is a punycode one of Rust).
static size_t bounded(int (*demangler)(const char *, int, append_function, void *),
                      const char *mangled, int options, char *bytes, size_t capacity) {
  struct output output = {.bytes = bytes, .length = 0, .capacity = capacity};
  if (setjmp(output.full) != 0)
    return 0;
  return demangler(mangled, options, append, &output) ? output.length : 0;
}

static size_t take(char *readable, char *output, size_t capacity) {
  size_t length = readable ? strlen(readable) : 0;
  if (length > capacity)
    length = 0;
  if (length > 0)
    memcpy(output, readable, length);
  free(readable);
  return length;
}

size_t qprof_demangle_cxx(const char *mangled, char *output, size_t capacity) {
  // The recursion limit of libiberty refuses all names above 1,024 bytes, which templates reach.
  // Without it a name of 8 KiB needs less than 3 MB of stack.
  int options = DMGL_PARAMS | DMGL_ANSI;
  if (strlen(mangled) <= 8192)
    options |= DMGL_NO_RECURSE_LIMIT;
  return bounded(cplus_demangle_v3_callback, mangled, options, output, capacity);
}

size_t qprof_demangle_rust(const char *mangled, char *output, size_t capacity) {
  return bounded(rust_demangle_callback, mangled, DMGL_PARAMS, output, capacity);
}

size_t qprof_demangle_d(const char *mangled, char *output, size_t capacity) {
  // This one takes no callback and recurses without a limit.
  if (strlen(mangled) > 1024)
    return 0;
  return take(dlang_demangle(mangled, DMGL_PARAMS), output, capacity);
}

size_t qprof_demangle_swift(const char *mangled, char *output, size_t capacity) {
  size_t size = 0;
  char *readable = _swift_backtrace_demangle(mangled, strlen(mangled), NULL, &size);
  // A name that only looks like one of Swift comes back unchanged.
  if (readable != NULL && strcmp(readable, mangled) == 0) {
    free(readable);
    return 0;
  }
  return take(readable, output, capacity);
}
