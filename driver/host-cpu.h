/* host-cpu: the host's processor, as it is and as KVM lets guests have it. */
#pragma once

#include "driver/cpu-models.h"

struct kvm_cpuid2;

typedef struct HostCpu {
    char vendor_id[13]; /* "GenuineIntel", as CPUID says it */
    CpuSignature signature;
    guint physical_bits; /* width of physical addresses */
    CpuBits own;         /* what the processor has */
    CpuBits kvm;         /* what a guest can have of it, with what KVM emulates */
    gboolean has_kvm;    /* FALSE: kvm is empty, there is no KVM to ask */
} HostCpu;

/* Asks the processor, and KVM at @kvm_path. VIR_ERR_CONFIG_UNSUPPORTED where that is no KVM; then @ret has
 * what the processor says all the same. */
gboolean host_cpu_probe(const char *kvm_path, HostCpu *ret, GError **error);

/* The parts of it, on what KVM_GET_SUPPORTED_CPUID and its like said. */
void host_cpu_read_kvm(HostCpu *host, const struct kvm_cpuid2 *supported);

/* "Intel", "AMD", "Hygon", or NULL for @vendor_id's of others. */
const char *host_cpu_vendor(const char *vendor_id);
/* Whether @vendor is one of these names. */
gboolean host_cpu_vendor_known(const char *vendor);

/* The time stamp counter's frequency in Hz, and whether guests can have another one; FALSE where KVM does
 * not tell. */
gboolean host_cpu_tsc(const char *kvm_path, guint64 *ret_hz, gboolean *ret_scaling);

/* The model that describes @bits best, among those that @guest or host (FALSE) descriptions may use; a
 * host's has no feature that is missing. NULL where nothing fits. */
const CpuModel *host_cpu_decode(const HostCpu *host, const CpuBits *bits, gboolean guest);
