/* A UEFI application by hand: the headers of a PE32+ image (Microsoft's PE Format), with code that works
 * wherever it is loaded, in one section, and an empty block of relocations, without which a loader would insist
 * on the image's base. */
    .section .header, "a"
image:
    .ascii "MZ"
    .org image + 0x3c
    .long pe - image

pe:
    .ascii "PE\0\0"
    .short 0x8664           /* machine: x86-64 */
    .short 2                /* sections */
    .long 0, 0, 0
    .short sections - optional
    .short 0x0022           /* executable, beyond 2 GiB as well */

optional:
    .short 0x020b           /* PE32+ */
    .short 0
    .long code_size, 0, 0
    .long app_start         /* entry point, and base of the code, from here on relative to the image */
    .long code
    .quad 0                 /* image base */
    .long 0x1000, 0x1000    /* alignment in memory, in the file */
    .short 0, 0, 0, 0, 0, 0
    .long 0
    .long image_size
    .long 0x1000            /* size of the headers */
    .long 0
    .short 10               /* subsystem: EFI application */
    .short 0
    .quad 0x10000, 0x10000, 0, 0
    .long 0
    .long 16                /* data directories: the sixth are relocations */
    .quad 0, 0, 0, 0, 0
    .long reloc, 12
    .quad 0, 0, 0, 0, 0, 0, 0, 0, 0, 0

sections:
    .ascii ".text\0\0\0"
    .long code_size, code, code_size, code
    .long 0, 0, 0
    .long 0xe0000020        /* code, read, write, execute */
    .ascii ".reloc\0\0"
    .long 12, reloc, 0x1000, reloc
    .long 0, 0, 0
    .long 0x42000040        /* data, read, may be dropped */

/* What it says of itself: boot-disk writes it here. */
    .globl text
    .org image + 0x200
text:
    .space 64

    .section .reloc, "a"
    .long 0, 12
    .short 0, 0
