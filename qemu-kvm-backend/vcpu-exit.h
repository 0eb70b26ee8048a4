/* vcpu-exit: what one return from KVM_RUN means, and what is done about it. */
#pragma once

#include "qemu-kvm-backend/bus.h"

#include <linux/kvm.h>
#include <stddef.h>

#define VCPU_TEXT 256 /* bytes of a reason, the NUL among them */

typedef enum VcpuVerdict {
    VCPU_GO_ON,
    VCPU_POWEROFF,
    VCPU_RESET,
    VCPU_CRASH, /* KVM cannot go on */
} VcpuVerdict;

/* Serves @run's exit from the buses. Unless the vCPU may go on, @text says why. Every reason that
 * is not known to be harmless is a crash, so that no vCPU can spin. */
VcpuVerdict vcpu_exit(struct kvm_run *run, Bus *pio, Bus *mmio, char text[VCPU_TEXT]);
