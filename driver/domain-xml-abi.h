/* domain-xml-abi: whether a guest that runs on one definition can go on on another. */
#pragma once

#include "driver/domain-def.h"

/* Whether @to describes, to the guest, the machine that @from does: only names, texts and what is on the host's
 * side of a device may differ. Where it does, the devices of @to get the aliases of those of @from, by which a
 * saved state knows them. An error is worded as libvirt's: "Target domain ... does not match source ...". */
gboolean domain_xml_carry_over(const DomainDef *from, DomainDef *to, GError **error);
