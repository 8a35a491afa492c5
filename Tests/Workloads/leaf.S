// Two leaf functions without unwind information, for noeh.c: rdi is the number of steps.
// leaf_framed keeps a frame pointer, leaf_bare does not.
  .text

  .globl leaf_framed
  .type leaf_framed, @function
leaf_framed:
  push %rbp
  mov %rsp, %rbp
  sub $32, %rsp
  mov $1, %eax
1:
  imul $3, %rax, %rax
  inc %rax
  dec %rdi
  jnz 1b
  leave
  ret
  .size leaf_framed, . - leaf_framed

  .globl leaf_bare
  .type leaf_bare, @function
leaf_bare:
  mov $1, %eax
1:
  imul $3, %rax, %rax
  inc %rax
  dec %rdi
  jnz 1b
  ret
  .size leaf_bare, . - leaf_bare

  .section .note.GNU-stack, "", @progbits
