/* neighbours: the IP addresses of others on the host's links, as its kernel has learned them (rtnetlink(7)). */
#pragma once

#include <glib.h>

#define NEIGHBOUR_MAC_SIZE 6

typedef struct Neighbour {
    guint8 mac[NEIGHBOUR_MAC_SIZE];
    int type;   /* virIPAddrType */
    char *text; /* the address */
} Neighbour;

/* All of Ethernet that were reached at some time; NULL with @error. g_ptr_array_unref() frees them. */
GPtrArray *neighbours_list(GError **error);
