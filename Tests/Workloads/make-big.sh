#!/bin/bash
# Prints a C file that `gcc -O2 -c` works on for about half a second: FUNCTIONS functions (default
# 50) of loops, branches and arrays, each a little different. Needs no header.
set -euo pipefail
for ((i = 0; i < ${FUNCTIONS:-50}; i++)); do
  cat <<EOF
unsigned function_$i(const unsigned *in, unsigned *out, unsigned n) {
  unsigned sum = $i, table[16];
  for (unsigned k = 0; k < 16; k++)
    table[k] = k * $((i % 13 + 3)) ^ n;
  for (unsigned k = 0; k < n; k++) {
    unsigned x = in[k] + table[(k + $i) & 15];
    switch (x % $((i % 5 + 4))) {
    case 0: sum += x << $((i % 7 + 1)); break;
    case 1: sum ^= x >> $((i % 6 + 1)); break;
    case 2: sum = sum * $((2 * i + 1)) + x; break;
    default: table[x & 15] += sum; break;
    }
    out[k] = sum > x ? sum - x : table[sum & 15];
  }
  return sum;
}
EOF
done
