/* pinning: on which of the host's CPUs the threads of a domain run, and for how long they did. */
#pragma once

#include "driver/cpuset.h"
#include "driver/domain.h"

/* @map: ab, a boolean for each of the host's CPUs; @flags: VIR_DOMAIN_AFFECT_*. */
void domain_pin_vcpu(Domain *domain, guint vcpu, GVariant *map, guint flags, DomainDone done,
                     gpointer data);
void domain_pin_emulator(Domain *domain, GVariant *map, guint flags, DomainDone done,
                         gpointer data);

/* The host's CPUs: those that a thread may run on without a word about it, and how many a map is of. */
CpuSet domain_host_cpus(const Domain *domain);
guint domain_mapped_cpus(const Domain *domain);

/* Tells clients that what libvirt calls @name, a VIR_DOMAIN_TUNABLE_CPU_*, runs on @cpus now; a simulated guest's pins
 * are told to nobody, as by libvirt's test driver. */
void domain_tell_pinned(Domain *domain, const char *name, const CpuSet *cpus);

/* Floating: aab, a map for each vCPU; ab. */
GVariant *domain_vcpu_pins(const Domain *domain, guint flags, GError **error);
GVariant *domain_emulator_pin(const Domain *domain, guint flags, GError **error);

/* virDomainGetVcpus, a(uitiab): number, virVcpuState, ns of CPU time, the CPU that it ran on last, and those
 * that it may run on; of a running domain. */
GVariant *domain_vcpu_info(const Domain *domain, GError **error);
/* virDomainGetCPUStats, a{sv}: cpu_time, user_time and system_time in ns, of all CPUs together. */
GVariant *domain_cpu_stats(const Domain *domain, guint flags, GError **error);
