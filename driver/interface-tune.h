/* interface-tune: what a client lets one interface of a domain use of the network; it names it by MAC address or tap.
 */
#pragma once

#include "driver/domain.h"

/* virDomainGetInterfaceParameters(): a{sv}; NULL with an error. */
GVariant *domain_interface_parameters(const Domain *domain, const char *name, guint flags,
                                      GError **error);
/* virDomainSetInterfaceParameters(): a direction that @params (a{sv}) does not speak of stays. */
void domain_set_interface_parameters(Domain *domain, const char *name, GVariant *params,
                                     guint flags, DomainDone done, gpointer data);
