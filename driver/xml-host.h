/* xml-host: the documents of networks, storage pools and host interfaces, as far as it takes to tell one from another.
 */
#pragma once

#include "driver/host-facts.h"

#include <gio/gio.h>

/* What the document @xml of a @kind (not a device) defines: @ret's texts are the caller's, who frees them with
 * host_facts_clear(). The document itself stays as it was given, apart from a name and a UUID that it lacks. Errors are
 * libvirt's. */
gboolean xml_host_parse(HostKind kind, const char *xml, HostFacts *ret, GError **error);
/* The first address that the network of the document @xml gives out, or else its own; NULL: it has none. @ret_prefix:
 * how long its network's part is. */
GInetAddress *xml_host_first_address(const char *xml, guint *ret_prefix);
/* The same with texts of its own. */
HostFacts host_facts_copy(const HostFacts *facts);
void host_facts_clear(HostFacts *facts);
