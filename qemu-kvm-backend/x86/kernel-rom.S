/* The ROM that has a BIOS boot the kernel that is in fw-cfg. It has a bootstrap entry vector (BIOS Boot Specification 1.01,
 * 3.3), and so the BIOS takes it for something to boot. There the kernel's parts are fetched to where a loader leaves them
 * (Documentation/arch/x86/boot.rst), and it is entered in real mode, for it to ask the BIOS about the machine.
 *
 * All addresses are relative to the ROM's beginning, which is at offset 0 of a segment. Its checksums are still missing
 * (firmware-kernel.c).
 */
#define SIZE 512

/* Where the parts go, and the setup's as a segment. */
#define SETUP     0x10000
#define SETUP_SEG 0x1000
#define ENTRY_SEG 0x1020
#define STACK     0xfff0 /* in the setup's segment, as what it has for a heap */
#define HEAP_END  0xfe00
#define CMDLINE   0x20000
#define KERNEL    0x100000
#define PAGE      4096

/* "Details of Header Fields": offsets, and values */
#define VID_MODE         0x1fa
#define VID_NORMAL       0xffff
#define TYPE_OF_LOADER   0x210
#define LOADER_UNDEFINED 0xff
#define LOADFLAGS        0x211
#define CAN_USE_HEAP     0x80
#define RAMDISK_IMAGE    0x218
#define RAMDISK_SIZE     0x21c
#define HEAP_END_PTR     0x224
#define CMD_LINE_PTR     0x228
#define INITRD_ADDR_MAX  0x22c

/* The items (hw/fw-cfg.h), and a request for one (QEMU's docs/specs/fw_cfg.rst) */
#define KERNEL_SIZE  0x08
#define INITRD_SIZE  0x0b
#define KERNEL_DATA  0x11
#define INITRD_DATA  0x12
#define CMDLINE_SIZE 0x14
#define CMDLINE_DATA 0x15
#define SETUP_SIZE   0x17
#define SETUP_DATA   0x18

#define PORT_DMA       0x514
#define REQUEST        0x7c00 /* control, length, 64-bit address, and its own address, all big-endian */
#define REQUEST_BE     0x007c0000
#define REQUEST_READ   0x0a /* and select */
#define REQUEST_FAILED 0x01
#define NUMBER         0x7c20 /* what a size is fetched to */

    .section .rodata
    .code16
    .globl kernel_rom
kernel_rom:
    .word 0xaa55
    .byte SIZE / 512
    lretw                   /* called to initialize it */
    .byte 0, 0              /* the checksum is the second */
    .org kernel_rom + 0x1a
    .word header - kernel_rom

    .balign 16
header:
    .ascii "$PnP"
    .byte 1, 2              /* revision, size in 16 bytes */
    .word 0                 /* no further header */
    .byte 0, 0              /* the checksum is the second */
    .long 0
    .word maker - kernel_rom, name - kernel_rom
    .byte 0, 0, 0, 0
    .word 0, 0, boot - kernel_rom, 0, 0
maker:
    .asciz "vmctl"
name:
    .asciz "Linux kernel"
complaint:
    .asciz "The kernel cannot be loaded\r\n"

boot:
    cld
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $REQUEST, %sp
    movw $SETUP_SEG, %ax
    movw %ax, %es

    movw $SETUP_SIZE, %ax
    movw $SETUP_DATA, %bx
    movl $SETUP, %edi
    call load
    movw $CMDLINE_SIZE, %ax
    movw $CMDLINE_DATA, %bx
    movl $CMDLINE, %edi
    call load
    movw $KERNEL_SIZE, %ax
    movw $KERNEL_DATA, %bx
    movl $KERNEL, %edi
    call load
    leal (%edi, %ecx), %ebp /* its end */

    movw $INITRD_SIZE, %ax
    call fetch_size
    xorl %edi, %edi
    jecxz 1f
    call place
    movw $INITRD_DATA, %ax
    call fetch
1:  movl %edi, %es:RAMDISK_IMAGE
    movl %ecx, %es:RAMDISK_SIZE
    movl $CMDLINE, %es:CMD_LINE_PTR
    movw $HEAP_END, %es:HEAP_END_PTR
    movb $LOADER_UNDEFINED, %es:TYPE_OF_LOADER
    orb $CAN_USE_HEAP, %es:LOADFLAGS
    movw $VID_NORMAL, %es:VID_MODE

    cli
    movw %es, %ax
    movw %ax, %ds
    movw %ax, %fs
    movw %ax, %gs
    movw %ax, %ss
    movw $STACK, %sp
    ljmpw $ENTRY_SEG, $0

/* %edi: where %ecx bytes go, as high as they may and behind %ebp. */
place:
    pushl %ecx
    movw $0xe801, %ax       /* the RAM's size: %cx KiB from 1 MiB on, %dx times 64 KiB from 16 MiB on */
    int $0x15
    movzwl %cx, %ecx
    shll $10, %ecx
    movzwl %dx, %edi
    shll $16, %edi
    leal 0xfffff(%edi, %ecx), %edi
    cmpl %es:INITRD_ADDR_MAX, %edi
    jbe 1f
    movl %es:INITRD_ADDR_MAX, %edi
1:  popl %ecx
    incl %edi
    subl %ecx, %edi
    jc fail
    andl $-PAGE, %edi
    cmpl %ebp, %edi
    jb fail
    ret

/* The item %bx, whose size the item %ax has, to %edi. */
load:
    call fetch_size
    movw %bx, %ax
    jmp fetch

/* %ecx: what the item %ax says. */
fetch_size:
    pushl %edi
    movl $4, %ecx
    movl $NUMBER, %edi
    call fetch
    movl NUMBER, %ecx
    popl %edi
    ret

/* %ecx bytes of the item %ax to %edi. */
fetch:
    shll $16, %eax
    movw $REQUEST_READ, %ax
    bswapl %eax
    movl %eax, REQUEST
    movl %ecx, %eax
    bswapl %eax
    movl %eax, REQUEST + 4
    movl $0, REQUEST + 8
    movl %edi, %eax
    bswapl %eax
    movl %eax, REQUEST + 12
    xorl %eax, %eax
    movw $PORT_DMA, %dx
    outl %eax, %dx
    addw $4, %dx
    movl $REQUEST_BE, %eax
    outl %eax, %dx
1:  movl REQUEST, %eax
    bswapl %eax
    testb $REQUEST_FAILED, %al
    jnz fail
    testl %eax, %eax
    jnz 1b
    ret

/* Says so, and has the BIOS go on to what is next in its order. */
fail:
    movw $complaint - kernel_rom, %si
1:  movb %cs:(%si), %al
    incw %si
    testb %al, %al
    jz 2f
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    jmp 1b
2:  int $0x18
    jmp 2b

    .org kernel_rom + SIZE

    .section .note.GNU-stack, "", @progbits
