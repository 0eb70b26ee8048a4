#include "qemu-kvm-backend/x86/chips-state.h"

#include <sys/ioctl.h>

bool
chips_state_get(ChipsState *state, const Kvm *kvm, VmmError *err)
{
    int fd = kvm_vm_fd(kvm);

    for (unsigned i = 0; i < 3; i++) {
        state->chips[i].chip_id = i;
        if (ioctl(fd, KVM_GET_IRQCHIP, &state->chips[i]) < 0)
            return vmm_error_errno(err, "Cannot read the state of interrupt chip %u", i);
    }
    return ioctl(fd, KVM_GET_PIT2, &state->pit) == 0 ||
           vmm_error_errno(err, "Cannot read the interval timer's state");
}

/* The I/O APIC comes after all local APICs, because it delivers lines that are up when it is set. */
bool
chips_state_set(const ChipsState *state, const Kvm *kvm, VmmError *err)
{
    static const unsigned order[] = { KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE,
                                      KVM_IRQCHIP_IOAPIC };
    int fd = kvm_vm_fd(kvm);

    if (ioctl(fd, KVM_SET_PIT2, &state->pit) < 0)
        return vmm_error_errno(err, "Cannot set the interval timer's state");
    for (unsigned i = 0; i < 3; i++) {
        if (ioctl(fd, KVM_SET_IRQCHIP, &state->chips[order[i]]) < 0)
            return vmm_error_errno(err, "Cannot set the state of interrupt chip %u", order[i]);
    }
    return true;
}

/* Which one each is goes without saying. */
static bool
chips_loaded(void *object, VmmError *err)
{
    ChipsState *state = object;

    for (unsigned i = 0; i < 3; i++)
        state->chips[i].chip_id = i;
    return true;
}

static const StateField chips_fields[] = {
    STATE_BYTES(ChipsState, chips[KVM_IRQCHIP_PIC_MASTER].chip),
    STATE_BYTES(ChipsState, chips[KVM_IRQCHIP_PIC_SLAVE].chip),
    STATE_BYTES(ChipsState, chips[KVM_IRQCHIP_IOAPIC].chip),
    STATE_BYTES(ChipsState, pit),
    STATE_END,
};

const StateTable chips_state_table = { .version = 1,
                                       .fields = chips_fields,
                                       .loaded = chips_loaded };
