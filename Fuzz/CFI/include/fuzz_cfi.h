#ifndef FUZZ_CFI_H
#define FUZZ_CFI_H

#include <stddef.h>
#include <stdint.h>

// Reads `data` as unwind tables in every way that CUnwind offers. The first byte chooses the
// format, and the next where .eh_frame_hdr is. Returns 0.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
