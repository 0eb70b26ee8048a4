/* guest-hyperv: what a domain's <hyperv> and its clock of Hyper-V's come to: the leaves of CPUID by which a hypervisor that
 * keeps to Microsoft's interface is known ("Hypervisor Top Level Functional Specification" 6.0b, 2.4 and 3). The registers
 * behind them are KVM's. */
#pragma once

#include "driver/domain-def.h"

/* Whether the guest is told of Hyper-V at all. */
gboolean guest_hyperv_is_on(const DomainDef *def);
/* Whether what its enlightenments need is on as well; FALSE with @error. */
gboolean guest_hyperv_check(const DomainDef *def, GError **error);
/* Whether its vCPUs have the synthetic interrupt controller. */
gboolean guest_hyperv_has_synic(const DomainDef *def);
/* Appends edits of the leaves from 0x40000000 on to @edits, as the key "cpuid" of "create" has them. */
void guest_hyperv_put(const DomainDef *def, GString *edits);
