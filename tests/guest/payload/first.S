/* A payload whose first instruction is seen outside: it writes a character to COM1. Nothing is set up
 * before, as multiboot enters with flat segments (Multiboot 0.6.96, 3.2). */
#define MAGIC 0x1badb002
#define COM1  0x3f8

    .section .multiboot, "a"
    .balign 4
    .long MAGIC, 0, -MAGIC

    .text
    .globl _start
_start:
    movw $COM1, %dx
    movb $'!', %al
    outb %al, %dx
1:  cli
    hlt
    jmp 1b

    .section .note.GNU-stack, "", @progbits
