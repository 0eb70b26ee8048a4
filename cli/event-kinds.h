/* event-kinds: the signals about domains and other objects, and how each is put into words. */
#pragma once

#include <glib.h>

typedef struct EventKind {
    const char *name;    /* virsh's word; NULL ends the table */
    const char *member;  /* the signal; NULL: the bus has none for what virsh knows, it never comes */
    const char *type;    /* of its parameters */
    gboolean of_connect; /* comes from the Connect object, with the object's path first */
    /* What to say behind the object's name, for g_free(); NULL: the name of the event says it all. A line break first
     * begins lines of their own, a space what goes on without a colon. */
    char *(*details)(GVariant *parameters);
} EventKind;

/* Of domains, and of the others. */
extern const EventKind event_kinds[], network_event_kinds[], pool_event_kinds[],
    device_event_kinds[];

const EventKind *event_kind_find(const EventKind *kinds, const char *name);
