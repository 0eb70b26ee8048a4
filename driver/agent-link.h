/* agent-link: the connection to a guest's QEMU guest agent (qemu-ga): one command at a time, each after the two ends
 * have agreed where in the stream they are (guest-sync-delimited).
 *
 * What comes back is a guest's, and so anything: a line has a limit, and nothing is read but while a command waits.
 */
#pragma once

#include <glib.h>

#define AGENT_RESPONSE_MAX   (10 * 1024 * 1024) /* bytes of one answer, as in libvirt */
#define AGENT_SYNC_TIMEOUT_S 5

/* Time limits of commands, in seconds, beside numbers: libvirt's VIR_DOMAIN_QEMU_AGENT_COMMAND_*. */
#define AGENT_BLOCK   (-2) /* none */
#define AGENT_DEFAULT (-1) /* AGENT_SYNC_TIMEOUT_S */

typedef struct AgentLink AgentLink;

/* @reply is the agent's whole answer, an object with "return" or "error", or NULL with @error. The link may be freed
 * here, or the next command sent. */
typedef void (*AgentLinkReply)(gpointer data, GVariant *reply, const GError *error);

/* A link over the connected stream socket @fd, which does not block and which it takes over. */
AgentLink *agent_link_new(int fd);
/* The command that waits ends with what was said already, or fails as with an agent that is gone. NULL is allowed. */
void agent_link_free(AgentLink *link);

/* FALSE once the other end has closed it: what is sent fails. */
gboolean agent_link_is_open(const AgentLink *link);

/* Sends @command, one line of JSON; none may be waiting. @timeout_s is for the answer; agreeing takes
 * AGENT_SYNC_TIMEOUT_S at most, or less where that is less. @reply is called once, never from within. */
void agent_link_send(AgentLink *link, const char *command, int timeout_s, AgentLinkReply reply,
                     gpointer data);
