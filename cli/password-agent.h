/* password-agent: asks at the user's terminal for the password that polkit wants, where no desktop does: pkttyagent(1), as
 * long as vmctl runs. */
#pragma once

#include <glib.h>

/* The daemon has refused a call for want of an agent, and now there is one: the call is worth another try. */
gboolean password_agent_helps(const GError *error);
/* It may be asking at the terminal at any time. */
gboolean password_agent_runs(void);
