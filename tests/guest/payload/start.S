/* The multiboot-1 header (Multiboot 0.6.96, 3.1.1) and the way to C. */
#define MAGIC 0x1badb002
#define FLAGS 0x3 /* page-aligned modules, memory information */

    .section .multiboot, "a"
    .balign 4
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)

    .text
    .globl _start
_start:
    lgdt gdt_pointer
    movl $stack_top, %esp
    push %ebx
    push %eax
    call payload
1:  cli
    hlt
    jmp 1b

/* Where further vCPUs wake up: copied to 0x8000, entered in real mode with CS 0x0800. */
    .globl trampoline, trampoline_end
    .code16
trampoline:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl gdt_pointer_low - trampoline + 0x8000
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x10, $protected
    .balign 8
gdt_pointer_low:
    .word 31
    .long gdt
trampoline_end:

/* Where the first one wakes up: copied to 0xa010, entered in real mode with CS 0x0a01. */
    .globl waking, waking_end
    .code16
waking:
    cli
    movw %cs, %ax
    cmpw $0x0a01, %ax
    jne .
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl gdt_pointer_waking - waking + 0xa010
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x10, $awake
    .balign 8
gdt_pointer_waking:
    .word 31
    .long gdt
waking_end:

    .code32
awake:
    movw $0x18, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $stack_top, %esp
    call woken
3:  cli
    hlt
    jmp 3b

protected:
    movw $0x18, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    /* One stack for each of 32 vCPUs; a ticket says whose. */
    movl $1, %eax
    lock xaddl %eax, tickets
    shll $10, %eax
    leal stacks(%eax), %esp
    call smp_arrived
2:  cli
    hlt
    jmp 2b

/* The SCI's handler. No iret: where KVM runs ring 0 by its instruction emulator alone, that knows
 * iret in real mode only. */
    .globl sci_entry
sci_entry:
    pusha
    call on_sci
    popa
    popl return_to
    addl $4, %esp /* CS stays */
    popfl
    jmp *return_to

    .globl nmi_entry
nmi_entry:
    call on_nmi

    .data
    .balign 8
gdt:
    .quad 0, 0
    .quad 0x00cf9b000000ffff /* 0x10: flat 32-bit code */
    .quad 0x00cf93000000ffff /* 0x18: flat data */
gdt_pointer:
    .word 31
    .long gdt
    .globl tickets
tickets:
    .long 1
return_to:
    .long 0

    .bss
    .balign 16
    .space 4096
stack_top:
stacks:
    .space 33 * 1024

    .section .note.GNU-stack, "", @progbits
