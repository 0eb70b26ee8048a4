#include "qemu-kvm-backend/x86/nmi.h"

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

/* Local vector table entry of LINT1: Intel SDM volume 3, 11.5.1. */
#define LVT_LINT1    0x360
#define LVT_MASKED   (1u << 16)
#define LVT_MODE     (7u << 8)
#define LVT_MODE_NMI (4u << 8)

static bool
takes_nmi(int fd)
{
    struct kvm_lapic_state apic;
    uint32_t entry;

    if (ioctl(fd, KVM_GET_LAPIC, &apic) < 0)
        return false;
    memcpy(&entry, apic.regs + LVT_LINT1, sizeof(entry));
    return !(entry & LVT_MASKED) && (entry & LVT_MODE) == LVT_MODE_NMI;
}

unsigned
nmi_inject(const int *vcpu_fds, unsigned n)
{
    unsigned n_injected = 0;

    for (unsigned i = 0; i < n; i++)
        n_injected += takes_nmi(vcpu_fds[i]) && ioctl(vcpu_fds[i], KVM_NMI) == 0;
    return n_injected;
}
