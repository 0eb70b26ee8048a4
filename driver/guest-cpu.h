/* guest-cpu: what a domain's <cpu>, <features> and <clock> come to on this host: the registers of CPUID
 * that its guest sees, and the <cpu> that a running guest's document shows.
 */
#pragma once

#include "driver/domain-def.h"
#include "driver/host-cpu.h"

struct VmmMsg;

/* Whether that takes knowledge of the host: for all but what KVM supports, as it is. */
gboolean guest_cpu_needs_host(const DomainDef *def);

/* Puts the keys of "create" about CPUs into @msg, and the CPU that the guest gets into @def->cpu, which was
 * completed. @host may be NULL where guest_cpu_needs_host() says no. VIR_ERR_CPU_INCOMPATIBLE, in
 * libvirt's words, where the host cannot be such a CPU. */
gboolean guest_cpu_lower(DomainDef *def, const HostCpu *host, struct VmmMsg *msg, GError **error);

/* What KVM gives without being asked where a model is named, and what it may leave out: guests of QEMU's
 * are used to it. */
void guest_cpu_defaults(CpuBits *ret_added, CpuBits *ret_left_out);
/* What a guest can have on @host. */
void guest_cpu_offer(const HostCpu *host, CpuBits *ret);
/* Turns a host-model @cpu into the model and features that it is on @host. */
gboolean guest_cpu_expand(DomainCpu *cpu, const HostCpu *host, GError **error);
/* Whether a definition's @cpu is another one on another host, and makes it the one that it is on @host
 * (VIR_DOMAIN_XML_UPDATE_CPU). */
gboolean guest_cpu_is_relative(const DomainCpu *cpu);
gboolean guest_cpu_update(DomainCpu *cpu, const HostCpu *host, GError **error);
