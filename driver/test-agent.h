/* test-agent: what stands for a guest agent in a simulated guest: it answers as libvirt's test driver does, which has no
 * agent either.
 *
 * Its host name is made of the domain's, it has two file systems on its first disk, a clock that stands still, and an
 * address in the network of each of its cards.
 */
#pragma once

#include "driver/domain-private.h"

/* Whether libvirt's test driver has the libvirt function @function; FALSE with VIR_ERR_NO_SUPPORT. */
gboolean test_agent_check(const char *function, GError **error);
/* The result of the verb whose command to an agent would be @execute with @arguments, an a{sv} or NULL: floating,
 * NULL where it has none, or with @error. The domain is active. */
GVariant *test_agent_answer(Domain *domain, const char *execute, GVariant *arguments,
                            GError **error);
/* What is told of the daemon's hold on the guest: the guest's clock decides, so that a client can be tried on each. */
DomainControl test_agent_control(const Domain *domain);
