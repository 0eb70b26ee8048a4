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
    guint (*list)(void); /* all domains; how many there are */
    guint (*stats)(void); /* the state of all */
    void (*lookup)(const char *name);
    void (*undefine)(const char *name);
    void (*end)(void);
} Manager;

extern const Manager manager_vmctld;
extern const Manager manager_libvirtd;
