/* event-kinds: the signals about domains, and how each is put into words. */
#pragma once

#include <glib.h>

typedef struct EventKind {
    const char *name;    /* virsh's word; NULL ends the table */
    const char *member;  /* the signal */
    const char *type;    /* of its parameters */
    gboolean of_connect; /* comes from the Connect object, with the domain's path first */
    /* What to say behind the domain's name, for g_free(); NULL: the name of the event says it all. */
    char *(*details)(GVariant *parameters);
} EventKind;

extern const EventKind event_kinds[];

const EventKind *event_kind_find(const char *name);
