// What the tests of Capture need from C: contexts and glibc's own unwinder.

#ifndef QPROF_CAPTURE_PROBE_H
#define QPROF_CAPTURE_PROBE_H

#include <stdint.h>

// Captures the calling thread into the ring of `slot`, as the signal handler would, and fills
// `frames` with what glibc's backtrace sees of the same stack. Returns the number of frames.
int probe_capture(uint32_t slot, void **frames, int capacity);

// Writes a sample whose stack pointer is `rsp`, in a thread with unknown stack bounds.
void probe_capture_at(uint32_t slot, uintptr_t rsp, uint32_t weight);

// Lets the agent attach again: a program does so once, and keeps its session.
void probe_detach(void);

#endif
