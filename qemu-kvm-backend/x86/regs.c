#include "qemu-kvm-backend/x86/regs.h"

#include "qemu-kvm-backend/log.h"
#include "qemu-kvm-backend/x86/layout.h"

#include <inttypes.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define CR0_PE   (1ull << 0)
#define CR0_ET   (1ull << 4)
#define CR0_PG   (1ull << 31)
#define CR4_PAE  (1ull << 5)
#define EFER_LME (1ull << 8)
#define EFER_LMA (1ull << 10)
#define RFLAGS_1 (1ull << 1) /* always set */

#define PARAGRAPH 16u /* bytes between real-mode segments */

#define SEGMENT_CODE 11 /* execute, read, accessed */
#define SEGMENT_DATA 3  /* read, write, accessed */
#define SEGMENT_TSS  11 /* a busy TSS, which is the only state of a loaded one */

static struct kvm_segment
flat(uint16_t selector, uint8_t type, bool is_64_bit)
{
    return (struct kvm_segment){
        .limit = 0xffffffff,
        .selector = selector,
        .type = type,
        .present = 1,
        .db = !is_64_bit,
        .s = 1,
        .l = is_64_bit,
        .g = 1,
    };
}

static void
put_segments(struct kvm_sregs *sregs, bool is_64_bit)
{
    struct kvm_segment data = flat(BOOT_SEL_DATA, SEGMENT_DATA, false);

    sregs->cs = flat(BOOT_SEL_CODE, SEGMENT_CODE, is_64_bit);
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->tr = (struct kvm_segment){
        .limit = 0x67, .selector = BOOT_SEL_TSS, .type = SEGMENT_TSS, .present = 1
    };
    sregs->ldt = (struct kvm_segment){ .unusable = 1 };
    sregs->gdt = (struct kvm_dtable){ .base = LAYOUT_BOOT_GDT, .limit = BOOT_GDT_SIZE - 1 };
    sregs->idt = (struct kvm_dtable){ 0 };
}

/* All other segments are as the power-on left them. */
static void
put_real_mode(struct kvm_sregs *sregs, uint64_t rip)
{
    uint16_t selector = rip / PARAGRAPH;

    sregs->cs = (struct kvm_segment){
        .base = selector * PARAGRAPH,
        .limit = 0xffff,
        .selector = selector,
        .type = SEGMENT_CODE,
        .present = 1,
        .s = 1,
    };
    sregs->cr0 = CR0_ET;
}

static void
put_mode(struct kvm_sregs *sregs, bool is_64_bit)
{
    sregs->cr0 = CR0_PE | CR0_ET;
    if (!is_64_bit)
        return;
    sregs->cr3 = LAYOUT_BOOT_TABLES;
    sregs->cr4 = CR4_PAE;
    sregs->efer = EFER_LME | EFER_LMA;
    sregs->cr0 |= CR0_PG;
}

bool
regs_enter(int vcpu_fd, const BootEntry *entry, VmmError *err)
{
    struct kvm_regs regs = {
        .rip = entry->mode == BOOT_REAL ? entry->rip % PARAGRAPH : entry->rip,
        .rax = entry->rax,
        .rbx = entry->rbx,
        .rsi = entry->rsi,
        .rsp = entry->rsp,
        .rflags = RFLAGS_1,
    };
    struct kvm_sregs sregs;

    if (ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0)
        return vmm_error_errno(err, "Cannot read the boot vCPU's system registers");
    if (entry->mode == BOOT_REAL) {
        put_real_mode(&sregs, entry->rip);
    } else {
        put_segments(&sregs, entry->mode == BOOT_LONG);
        put_mode(&sregs, entry->mode == BOOT_LONG);
    }
    if (ioctl(vcpu_fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(vcpu_fd, KVM_SET_REGS, &regs) < 0)
        return vmm_error_errno(err, "Cannot set the boot vCPU's registers");
    return true;
}

static void
log_segment(const char *name, const struct kvm_segment *s)
{
    log_guest("  %s %04x base %016llx limit %08x type %x s%u dpl%u p%u l%u db%u g%u%s", name,
              s->selector, s->base, s->limit, s->type, s->s, s->dpl, s->present, s->l, s->db, s->g,
              s->unusable ? " unusable" : "");
}

static void
log_general(const struct kvm_regs *r)
{
    log_guest("  rip %016llx rflags %08llx", r->rip, r->rflags);
    log_guest("  rax %016llx rbx %016llx rcx %016llx rdx %016llx", r->rax, r->rbx, r->rcx, r->rdx);
    log_guest("  rsi %016llx rdi %016llx rbp %016llx rsp %016llx", r->rsi, r->rdi, r->rbp, r->rsp);
    log_guest("  r8  %016llx r9  %016llx r10 %016llx r11 %016llx", r->r8, r->r9, r->r10, r->r11);
    log_guest("  r12 %016llx r13 %016llx r14 %016llx r15 %016llx", r->r12, r->r13, r->r14, r->r15);
}

static void
log_system(const struct kvm_sregs *s)
{
    const struct {
        const char *name;
        const struct kvm_segment *segment;
    } segments[] = {
        { "cs ", &s->cs }, { "ss ", &s->ss }, { "ds ", &s->ds }, { "es ", &s->es },
        { "fs ", &s->fs }, { "gs ", &s->gs }, { "tr ", &s->tr }, { "ldt", &s->ldt },
    };

    for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++)
        log_segment(segments[i].name, segments[i].segment);
    log_guest("  gdt base %016llx limit %04x, idt base %016llx limit %04x", s->gdt.base,
              s->gdt.limit, s->idt.base, s->idt.limit);
    log_guest("  cr0 %08llx cr2 %016llx cr3 %016llx cr4 %08llx cr8 %llx efer %llx apic %llx",
              s->cr0, s->cr2, s->cr3, s->cr4, s->cr8, s->efer, s->apic_base);
}

/* KVM_TRANSLATE walks the guest's own page tables. */
static void
log_instruction(int vcpu_fd, uint64_t linear, const Memory *memory)
{
    struct kvm_translation translation = { .linear_address = linear };
    uint8_t bytes[16];
    char text[3 * sizeof(bytes) + 1];
    size_t n = 4096 - linear % 4096; /* the next page may be somewhere else */

    if (n > sizeof(bytes))
        n = sizeof(bytes);
    if (ioctl(vcpu_fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid) {
        log_guest("  no page is mapped at the instruction");
        return;
    }
    if (!memory_read(memory, translation.physical_address, bytes, n)) {
        log_guest("  no RAM at the instruction (physical 0x%llx)", translation.physical_address);
        return;
    }
    for (size_t i = 0; i < n; i++)
        snprintf(text + 3 * i, 4, " %02x", bytes[i]);
    log_guest("  bytes at the instruction:%s", text);
}

void
regs_log(int vcpu_fd, unsigned index, const Memory *memory)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;

    if (ioctl(vcpu_fd, KVM_GET_REGS, &regs) < 0 || ioctl(vcpu_fd, KVM_GET_SREGS, &sregs) < 0) {
        log_guest("vCPU %u: KVM does not give its registers", index);
        return;
    }
    log_guest("vCPU %u: registers:", index);
    log_general(&regs);
    log_system(&sregs);
    log_instruction(vcpu_fd, sregs.cs.base + regs.rip, memory);
}
