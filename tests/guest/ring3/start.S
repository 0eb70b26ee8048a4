/* A guest at the processor's own pace, even where KVM runs ring 0 by its instruction emulator.
 *
 * From the PVH entry (Xen's HVM direct boot: 32 bits, flat, no paging, %ebx the start info) to C in
 * 64-bit ring 3: all of the first 4 GiB mapped where it is, interrupts off, all ports open. (By a task's
 * bitmap: such an emulator forgets the IOPL on the way down.) */
    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18 /* "Xen", an address, XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .quad _start

#define PRESENT_WRITABLE_USER 0x7
#define LARGE                 0x80
#define EFER                  0xc0000080
#define EFER_LME              0x100
#define CR4_PAE_FXSR          0x620 /* and OSXMMEXCPT: the compiler may use SSE */
#define CR0_PG_PE             0x80000001
#define FLAGS                 0x2
#define CODE                  0x10
#define USER_CODE             0x23
#define USER_DATA             0x2b
#define TASK                  0x30
#define TASK_SIZE             104 /* of a 64-bit one, the bitmap behind it */
#define TASK_BITMAP           102 /* where it says where the bitmap is */
#define BITMAP_SIZE           8192

    .text
    .code32
    .globl _start
_start:
    cli
    movl $stack_top, %esp
    movl %ebx, %ebp
    movl $pml4, %edi
    movl $(pdpt + PRESENT_WRITABLE_USER), (%edi)
    xorl %ecx, %ecx
1:  movl %ecx, %eax /* four page directories, a GiB each */
    shll $12, %eax
    addl $(pd + PRESENT_WRITABLE_USER), %eax
    movl %eax, pdpt(,%ecx,8)
    incl %ecx
    cmpl $4, %ecx
    jne 1b
    xorl %ecx, %ecx
2:  movl %ecx, %eax /* 2048 pages of 2 MiB */
    shll $21, %eax
    orl $(LARGE + PRESENT_WRITABLE_USER), %eax
    movl %eax, pd(,%ecx,8)
    incl %ecx
    cmpl $2048, %ecx
    jne 2b

    movl $CR4_PAE_FXSR, %eax
    movl %eax, %cr4
    movl %edi, %cr3
    movl $EFER, %ecx
    xorl %edx, %edx
    movl $EFER_LME, %eax
    wrmsr
    movl $CR0_PG_PE, %eax
    movl %eax, %cr0
    lgdt gdt_pointer
    ljmp $CODE, $3f

    .code64
3:  xorl %eax, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movw $TASK_SIZE, task + TASK_BITMAP
    movb $0xff, task + TASK_SIZE + BITMAP_SIZE
    movl $task, %eax
    movw %ax, gdt + TASK + 2
    shrl $16, %eax
    movb %al, gdt + TASK + 4
    movb $TASK, %al
    ltr %ax
    movl $user_stack_top, %eax
    pushq $USER_DATA
    pushq %rax
    pushq $FLAGS
    pushq $USER_CODE
    pushq $4f
    iretq
4:  movl %ebp, %edi
    call ring3
5:  jmp 5b

    .data
    .balign 8
gdt:
    .quad 0, 0
    .quad 0x00af9b000000ffff /* 0x10: 64-bit code */
    .quad 0
    .quad 0x00affb000000ffff /* 0x20: the same for ring 3 */
    .quad 0x00cff3000000ffff /* 0x28: data for ring 3 */
    .quad 0x0000890000000000 + TASK_SIZE + BITMAP_SIZE, 0 /* 0x30: a task, below 16 MiB */
gdt_pointer:
    .word 63
    .long gdt, 0

    .bss
    .balign 4096
pml4:
    .space 4096
pdpt:
    .space 4096
pd:
    .space 4 * 4096
task:
    .space TASK_SIZE + BITMAP_SIZE
    .space 1
    .balign 16
    .space 1024
stack_top:
    .space 16384
user_stack_top:

    .section .note.GNU-stack, "", @progbits
