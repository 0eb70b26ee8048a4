/* What makes a Linux kernel (Documentation/arch/x86/boot.rst) of the payload: a header, and what runs in real mode, which
 * here sees to it that the loader did its work and starts the payload as a multiboot-1 loader does, with the initrd for a
 * module. Who puts the two together fills in the fields. Entered in segment 0x1020; this is at 0x10000.
 */
#define MAGIC       0x2badb002 /* Multiboot 0.6.96, 3.2 */
#define HAS         12         /* of the flags: there are a command line and modules */
#define PORT_EXIT   0x501
#define PLACE       0x100000
#define CLEAN_END   0x180000   /* behind the payload's data */
#define HEAP_END    0xfe00
#define NORMAL      0xffff
#define LOADED_HIGH 0x01
#define USE_HEAP    0x80

    .code16
    .text
    .globl _start
_start:
    .org 0x1f1
    .byte 1                 /* sectors besides the first */
    .word 0
n_units:
    .long 0                 /* of 16 bytes, that the payload has */
    .word 0
video:
    .word 0
    .word 0, 0xaa55
    .org 0x200
    .byte 0xeb, begin - header
header:
    .ascii "HdrS"
    .word 0x020f
    .org 0x210
loader:
    .byte 0
flags:
    .byte LOADED_HIGH
    .org 0x214
entry:
    .long 0
ramdisk:
    .long 0, 0
    .org 0x224
heap_end:
    .word 0
    .org 0x228
cmdline:
    .long 0
    .long 0x7fffffff
    .org 0x238
    .long 255               /* characters of a command line */
    .org 0x258
    .quad PLACE
    .long CLEAN_END - PLACE
    .org 0x268
begin:
    movw %ds, %ax
    cmpw $0x1000, %ax
    jne wrong
    movw %ss, %bx
    cmpw %ax, %bx
    jne wrong
    cmpw $HEAP_END, heap_end - _start
    jne wrong
    cmpw $NORMAL, video - _start
    jne wrong
    cmpb $0, loader - _start
    je wrong
    testb $USE_HEAP, flags - _start
    jz wrong
    movw $0xe801, %ax       /* the BIOS is there */
    stc
    int $0x15
    jc wrong
    movl cmdline - _start, %eax
    movl %eax, info_cmdline - _start
    movl ramdisk - _start, %eax
    movl %eax, module - _start
    addl ramdisk - _start + 4, %eax
    movl %eax, module - _start + 4
    cli
    lgdtl gdt_pointer - _start
    movl %cr0, %eax
    orb $1, %al
    movl %eax, %cr0
    ljmpl $0x10, $0x10000 + protected - _start
wrong:
    movw $PORT_EXIT, %dx
    movb $240, %al
    outb %al, %dx
    hlt

    .code32
protected:
    movw $0x18, %ax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %ss
    movl 0x10000 + n_units - _start, %edi
    shll $4, %edi
    addl $PLACE, %edi
    movl $CLEAN_END, %ecx
    subl %edi, %ecx
    xorl %eax, %eax
    rep stosb
    movl $MAGIC, %eax
    movl $0x10000 + info - _start, %ebx
    jmp *0x10000 + entry - _start

    .balign 4
info:
    .long HAS, 0, 0, 0
info_cmdline:
    .long 0, 1, 0x10000 + module - _start
module:
    .long 0, 0, 0, 0
    .balign 8
gdt:
    .quad 0, 0
    .quad 0x00cf9b000000ffff /* 0x10: flat 32-bit code */
    .quad 0x00cf93000000ffff /* 0x18: flat data */
gdt_pointer:
    .word 31
    .long 0x10000 + gdt - _start
    .org 1024

    .section .note.GNU-stack, "", @progbits
