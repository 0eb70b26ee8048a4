/* power-on: the state of vCPUs and interrupt chips when the power comes on, and back to it.
 *
 * KVM has no reset; what it makes of a new VM is the power-on state, so it is read right after the
 * VM was built and written back at every reset (vcpu-state.h, chips-state.h).
 */
#pragma once

#include "qemu-kvm-backend/kvm.h"
#include "qemu-kvm-backend/x86/vcpu-state.h"

typedef struct PowerOn PowerOn;

/* Virtual wire mode on vCPU @index where it is the first (MP specification 3.6.2.2), and fast strings on. Where there is
 * no @firmware its share of the rest, too, which is to turn caching on: edk2 refuses a CPU whose memory types somebody else
 * has enabled (OvmfPkg's MemDetect.c). After its CPUID was set. */
bool power_on_prepare(int vcpu_fd, unsigned index, bool firmware, VmmError *err);

/* Both while all vCPUs are parked; @vcpu_fds are the same each time. @synic: vCPUs have the one of Hyper-V. */
PowerOn *power_on_capture(const Kvm *kvm, const int *vcpu_fds, unsigned n_vcpus, bool synic,
                          VmmError *err);
bool power_on_restore(const PowerOn *state, const Kvm *kvm, const int *vcpu_fds, VmmError *err);
/* What this host keeps of each of these vCPUs; lives as long as @state. */
const VcpuLayout *power_on_layout(const PowerOn *state);
void power_on_free(PowerOn *state);
