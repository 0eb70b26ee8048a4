/* pinning: on which of the host's CPUs the threads of a domain run, and for how long they did. */
#pragma once

#include "driver/domain.h"

/* @map: ab, a boolean for each of the host's CPUs; @flags: VIR_DOMAIN_AFFECT_*. */
void domain_pin_vcpu(Domain *domain, guint vcpu, GVariant *map, guint flags, DomainDone done,
                     gpointer data);
void domain_pin_emulator(Domain *domain, GVariant *map, guint flags, DomainDone done,
                         gpointer data);
/* There are no I/O threads to pin: always an error. */
gboolean domain_pin_iothread(Domain *domain, guint iothread, GVariant *map, guint flags,
                             GError **error);

/* Floating: aab, a map for each vCPU; ab; a(uab), which is empty. */
GVariant *domain_vcpu_pins(const Domain *domain, guint flags, GError **error);
GVariant *domain_emulator_pin(const Domain *domain, guint flags, GError **error);
GVariant *domain_iothreads(const Domain *domain, guint flags, GError **error);

/* virDomainGetVcpus, a(uitiab): number, virVcpuState, ns of CPU time, the CPU that it ran on last, and those
 * that it may run on; of a running domain. */
GVariant *domain_vcpu_info(const Domain *domain, GError **error);
/* virDomainGetCPUStats, a{sv}: cpu_time, user_time and system_time in ns, of all CPUs together. */
GVariant *domain_cpu_stats(const Domain *domain, guint flags, GError **error);
