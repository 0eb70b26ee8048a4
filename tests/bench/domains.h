/* domains: what is asked of a daemon with very many definitions, ours and its peer alike. */
#pragma once

#include <glib.h>

typedef struct Manager {
    const char *name;
    void (*begin)(void); /* its directories and clients; no daemon yet */
    void (*start)(void); /* the daemon, and a connection to it; returns when it may be asked */
    void (*stop)(void);
    GPid (*pid)(void);
    void (*define)(const char *xml);
    guint (*list)(void);          /* all domains; how many there are */
    guint (*stats)(guint groups); /* of all; 0: whatever there is */
    void (*lookup)(const char *name);
    void (*undefine)(const char *name);
    guint (*list_objects)(void); /* the same as list and stats, where there is another way to ask for it */
    guint (*stats_records)(guint groups);
    char *(*command)(const char *const *words); /* what its command line says to them, NULL ends them; for g_free() */
    void (*end)(void);
} Manager;

extern const Manager manager_vmctld;
extern const Manager manager_libvirtd;
