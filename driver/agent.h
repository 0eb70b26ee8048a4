/* agent: the QEMU guest agent of a domain, as the verbs that ask it see it.
 *
 * There is a connection while the guest has the agent's channel open. Verbs take turns by a job of the agent's own, so
 * that one that waits for a guest holds up none that does not need it.
 */
#pragma once

#include "driver/domain-private.h"

typedef struct AgentVerb AgentVerb;
struct AgentVerb {
    Domain *domain;
    void (*begin)(AgentVerb *verb); /* asks, or finishes */
    DomainReply done;
    gpointer data;
    gpointer detail; /* the verb's own */
    GDestroyNotify detail_free;
    /* Of the last answer: the agent does not know that command, or may not do it. */
    gboolean unsupported;
    /* What is asked makes the agent go away, which is its answer then. */
    gboolean ends_agent;
};

/* What the agent returned, any value, or NULL with @error. Asks again, or finishes. */
typedef void (*AgentAnswer)(AgentVerb *verb, GVariant *returned, const GError *error);

/* Begins a copy of @verb, whose domain is borrowed, for a call of the libvirt function @function, which knows
 * @known of @flags. Fails with libvirt's errors where there is no agent. @name is a literal. */
void agent_verb_start(const char *name, const AgentVerb *verb, const char *function, guint flags,
                      guint known);
/* Sends the command @execute with @arguments, an a{sv} or NULL, taken over where floating, with the domain's time
 * limit, or @timeout_s. Before the verb has finished. */
void agent_verb_ask(AgentVerb *verb, const char *execute, GVariant *arguments, AgentAnswer answer);
void agent_verb_ask_for(AgentVerb *verb, const char *execute, GVariant *arguments, int timeout_s,
                        AgentAnswer answer);
/* Sends @command, any object, and answers with the whole reply rather than with what was returned. */
void agent_verb_ask_raw(AgentVerb *verb, GVariant *command, int timeout_s, AgentAnswer answer);
/* Ends it with @result, NULL for nothing, taken over where floating, or with @error, borrowed. */
void agent_verb_finish(AgentVerb *verb, GVariant *result, const GError *error);
void agent_verb_fail(AgentVerb *verb, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* An answer that needs no look. */
void agent_verb_done(AgentVerb *verb, GVariant *returned, const GError *error);

/* The guest opened the agent's channel, or has it closed. */
void agent_opened(Domain *domain);
void agent_closed(Domain *domain);
/* A device of the guest is gone, perhaps that channel. */
void agent_channel_left(Domain *domain);
