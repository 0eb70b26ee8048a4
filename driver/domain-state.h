/* domain-state: libvirt's states, which moves between them there are, and their words. */
#pragma once

#include <glib.h>

/* Whether a domain may go from one virDomainState to another. */
gboolean domain_state_may_move(int from, int to);
/* "running", "paused", ...: the words of virsh domstate, for logs. */
const char *domain_state_to_string(int state);
/* "shutdown", "destroyed", ...: libvirt's words for a virDomainShutoffReason. */
const char *domain_shutoff_to_string(int reason);
