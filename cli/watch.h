/* watch: waits for what happens to the domains, networks or pools, and says it. */
#pragma once

#include "cli/args.h"
#include "cli/event-kinds.h"
#include "cli/session.h"

/* What a command with the option --event has in @about. */
typedef struct WatchSubject {
    const char *interface; /* of its objects */
    const EventKind *kinds;
    const char *said; /* N_(): "event '%s' for domain '%s'" */
    /* Puts the name of each object there is into @names, by its path; FALSE with @error. */
    gboolean (*learn)(Connection *connection, gconstpointer data, GHashTable *names,
                      GError **error);
    gconstpointer data;
} WatchSubject;

/* The options that all such commands have, besides the one that names an object. */
#define WATCH_OPTION_EVENT                                                                         \
    {                                                                                              \
        "event", OPTION_STRING, 0, N_("the kind of event to wait for")                             \
    }
#define WATCH_OPTIONS                                                                              \
    { "loop", OPTION_BOOL, 0, N_("go on after the first event") },                                 \
        { "timeout", OPTION_INT, 0, N_("seconds to wait at most") },                               \
        { "list", OPTION_BOOL, 0, N_("print the kinds of events") },                               \
    {                                                                                              \
        "timestamp", OPTION_BOOL, 0, N_("begin each line with the time, in UTC")                   \
    }

/* Whether what @args says of them makes sense; FALSE with @error. */
gboolean watch_check_args(const WatchSubject *subject, const Args *args, GError **error);
/* Prints the kinds of events. */
void watch_list_kinds(const WatchSubject *subject);
/* Waits as @args says; @only_path (NULL: any) is the object that it is about. TRUE: there was an event. */
gboolean watch_run(Session *session, const WatchSubject *subject, const Args *args,
                   const char *only_path, GError **error);
