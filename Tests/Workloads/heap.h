// What the heap workloads share: blocks that the compiler leaves alone, and how they say what a
// profiler must find, without an allocation of their own.
#ifndef HEAP_H
#define HEAP_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Keeps the compiler from leaving out an allocation, and from turning a call into a jump.
#define keep(value)                                                                                \
  ({                                                                                               \
    __typeof__(value) keep_value = (value);                                                        \
    __asm__ volatile("" : "+r"(keep_value) : : "memory");                                          \
    keep_value;                                                                                    \
  })

#define site __attribute__((noinline))

// Writes one line, as printf does, straight to the descriptor.
__attribute__((format(printf, 2, 3))) static inline void say_to(int descriptor, const char *format,
                                                                ...) {
  static char line[256];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (write(descriptor, line, (size_t)length) != length) {
    _exit(74);
  }
}

#define say(...) say_to(1, __VA_ARGS__)

// Ends the program where plain glibc would not have behaved so.
#define require(condition)                                                                         \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      say_to(2, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                            \
      _exit(70);                                                                                   \
    }                                                                                              \
  } while (0)

#endif
