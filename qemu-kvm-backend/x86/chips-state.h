/* chips-state: what KVM keeps of a VM's interrupt chips and its interval timer, read and written back: at a reset, and
 * to save and restore a guest. */
#pragma once

#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/state.h"

typedef struct ChipsState {
    struct kvm_irqchip chips[3]; /* by KVM_IRQCHIP_* */
    struct kvm_pit_state2 pit;
} ChipsState;

/* Set after all vCPUs. */
bool chips_state_get(ChipsState *state, const Kvm *kvm, VmmError *err);
bool chips_state_set(const ChipsState *state, const Kvm *kvm, VmmError *err);

extern const StateTable chips_state_table;
