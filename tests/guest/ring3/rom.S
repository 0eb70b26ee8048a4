/* Firmware that does nothing but start the guest in the ROM below it, as its PVH loader would: the last 64 KiB of what
 * ends at 4 GiB. Who makes the ROM fills in the fields at its end. */
#define SEGMENT 0xf000 /* where real mode sees it, linked at 0xf0000 */
#define CLEAN_END 0x112000 /* behind the guest's page tables and stacks: the rest of its data it fills itself */

    .text
    .code16
    .globl _start
_start:
    cli
    cld
    movw $SEGMENT, %ax
    movw %ax, %ds
    lgdtl gdt_pointer - _start
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x10, $protected

    .code32
protected:
    movw $0x18, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl source, %esi
    movl place, %edi
    movl n_bytes, %ecx
    rep movsb
    movl $CLEAN_END, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    movl $info, %ebx
    jmp *entry

    .balign 8
gdt:
    .quad 0, 0
    .quad 0x00cf9b000000ffff /* 0x10: flat 32-bit code */
    .quad 0x00cf93000000ffff /* 0x18: flat data */
gdt_pointer:
    .word 31
    .long gdt
    .balign 8
info: /* Xen's hvm_start_info, as far as the guest reads it */
    .long 0x336ec578, 1, 0, 0
    .long 0, 0, words, 0

    .org 0xff00
source:
    .long 0
place:
    .long 0
n_bytes:
    .long 0
entry:
    .long 0
words:
    .org 0xfff0 /* the reset vector */
    .code16
    ljmpw $SEGMENT, $0
    .org 0x10000

    .section .note.GNU-stack, "", @progbits
