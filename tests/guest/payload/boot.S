/* A boot sector that reads the payload from the sectors behind it and starts it as a multiboot-1 loader does: what a
 * BIOS boots. Who makes the disk fills in the fields at its end. */
#define MAGIC      0x2badb002 /* Multiboot 0.6.96, 3.2 */
#define HAS_WORDS  4          /* of the flags: there is a command line */
#define BUFFER     0x10000
#define CHUNK      64         /* sectors in one read */
#define CHUNK_SEG  (CHUNK * 512 / 16)
#define PLACE      0x100000
#define CLEAN_END  0x180000   /* behind the payload's data */

    .code16
    .text
    .globl _start
_start:
    cli
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movw $0x7c00, %sp
    sti
    cld
    movw n_chunks, %cx
1:  pushw %cx
    movw $packet, %si
    movb $0x42, %ah /* read, by number: %dl is the disk */
    int $0x13
    popw %cx
    jc failed
    addw $CHUNK_SEG, packet_segment
    addl $CHUNK, packet_sector
    loop 1b
    cli
    lgdtl gdt_pointer
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x10, $protected
failed:
    hlt
    jmp failed

    .code32
protected:
    movw $0x18, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl $BUFFER, %esi
    movl $PLACE, %edi
    movl n_bytes, %ecx
    rep movsb
    movl $CLEAN_END, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    movl $MAGIC, %eax
    movl $info, %ebx
    jmp *entry

    .balign 4
packet:
    .word 16, CHUNK, 0
packet_segment:
    .word BUFFER / 16
packet_sector:
    .long 1, 0
info:
    .long HAS_WORDS, 0, 0, 0, words
    .balign 8
gdt:
    .quad 0, 0
    .quad 0x00cf9b000000ffff /* 0x10: flat 32-bit code */
    .quad 0x00cf93000000ffff /* 0x18: flat data */
gdt_pointer:
    .word 31
    .long gdt

    .org 0x180
entry:
    .long 0
n_bytes:
    .long 0
n_chunks:
    .word 0
words:
    .org 510
    .word 0xaa55

    .section .note.GNU-stack, "", @progbits
