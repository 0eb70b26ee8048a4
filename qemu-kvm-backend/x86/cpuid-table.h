/* cpuid-table: leaves of CPUID as KVM wants them, looked up, added and taken away; and the leaves that
 * follow from others. (Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.)
 */
#pragma once

#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>

#define CPUID_VENDOR       0x0u
#define CPUID_FEATURES     0x1u
#define CPUID_FEATURES_7   0x7u
#define CPUID_PMU          0xau
#define CPUID_XSAVE        0xdu
#define CPUID_KVM          0x40000000u
#define CPUID_KVM_END      0x400000ffu
#define CPUID_KVM_BEHIND   0x40000100u /* behind Hyper-V's */
#define CPUID_EXTENDED     0x80000000u
#define CPUID_FEATURES_AMD 0x80000001u
#define CPUID_PMU_AMD      0x80000022u

#define CPUID_ECX_TOPOLOGY_EXT (1u << 22) /* of CPUID_FEATURES_AMD */
#define CPUID_ECX_PERFCTR_CORE (1u << 23)

struct kvm_cpuid_entry2 *cpuid_table_find(struct kvm_cpuid2 *cpuid, uint32_t function,
                                          uint32_t index);
/* A register of a leaf, by its number; and what they are called. */
enum { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };
uint32_t *cpuid_table_reg(struct kvm_cpuid_entry2 *entry, unsigned reg);
extern const char *const cpuid_reg_names[4];
/* A new leaf of zeros; NULL where there are @room already. */
struct kvm_cpuid_entry2 *cpuid_table_add(struct kvm_cpuid2 *cpuid, unsigned room, uint32_t function,
                                         uint32_t index);
/* Drops all leaves from @first to @last. */
void cpuid_table_drop(struct kvm_cpuid2 *cpuid, uint32_t first, uint32_t last);
bool cpuid_table_is_amd(struct kvm_cpuid2 *cpuid);

/* Drops what is beyond the highest leaves that leaves 0 and 0x80000000 tell. */
void cpuid_table_trim(struct kvm_cpuid2 *cpuid);
/* Has XSAVE keep the state of those features only that the table has. */
void cpuid_table_trim_xsave(struct kvm_cpuid2 *cpuid);
/* Caches that are the same on every host, or none at all. False where there is no room. */
bool cpuid_table_caches(struct kvm_cpuid2 *cpuid, unsigned room, bool some);
