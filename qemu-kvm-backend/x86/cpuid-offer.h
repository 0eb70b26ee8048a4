/* cpuid-offer: what guests can be told of their CPU, made of what KVM supports. */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>

/* Adds to KVM_GET_SUPPORTED_CPUID's answer what is so and is not in it: that there is a hypervisor, and the
 * timer that KVM_CAP_TSC_DEADLINE_TIMER tells of; and takes away what guests are better not told of. */
void cpuid_offer(struct kvm_cpuid2 *cpuid, bool tsc_deadline);
