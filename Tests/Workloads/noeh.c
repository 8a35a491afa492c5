// noeh framed|bare [GIGASTEPS]: GIGASTEPS * 10^9 steps (default 1) in leaf_framed or leaf_bare of
// leaf.S, assembly without unwind information, called by caller.
//
// Answer: nearly all weight is in the leaf. With a frame pointer its stacks are complete and go
// through caller to main; without one they end after the leaf and must be reported as such, not
// be taken for complete.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t leaf_framed(uint64_t steps);
uint64_t leaf_bare(uint64_t steps);

__attribute__((noinline)) uint64_t caller(uint64_t (*leaf)(uint64_t), uint64_t steps) {
  return leaf(steps) | 1;
}

int main(int argc, char **argv) {
  if (argc < 2 || (strcmp(argv[1], "framed") != 0 && strcmp(argv[1], "bare") != 0)) {
    fprintf(stderr, "usage: noeh framed|bare [GIGASTEPS]\n");
    return 64;
  }
  uint64_t steps = (uint64_t)((argc > 2 ? atof(argv[2]) : 1) * 1e9);
  uint64_t result = caller(argv[1][0] == 'f' ? leaf_framed : leaf_bare, steps + 1);
  printf("%s done\n", argv[1]);
  return result == 0;
}
