/* vmm-link: the driver's end of one VMM's control socket.
 *
 * Requests are answered in the order in which they were made; each has a time limit. A VMM may be
 * hostile: a packet that is no message, or a reply that nobody asked for, ends the link. When the link
 * ends the owner is told, once, then every waiting request fails.
 */
#pragma once

#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <glib.h>

#define VMM_LINK_TIMEOUT_MS 5000
/* For what must be known to be done or not, and what takes as long as the host's disks or its memory do: it is answered,
 * or fails with the link. */
#define VMM_LINK_NO_TIMEOUT 0

typedef struct VmmLink VmmLink;

/* @reply stays the link's; NULL with @error where the VMM refused or never answered. */
typedef void (*VmmLinkReply)(gpointer data, VmmMsg *reply, const GError *error);

typedef struct VmmLinkEvents {
    void (*event)(gpointer data, VmmMsg *event);
    /* The link may be freed here. @wrong: the process has sent what it may not; else it hung up, or cannot be written to. */
    void (*closed)(gpointer data, gboolean wrong);
    gpointer data;
    /* What had been given up is answered after all, so it was done: once for several in a row. NULL: it does not matter. */
    void (*late)(gpointer data);
} VmmLinkEvents;

/* A link over the connected socket @fd, which it takes over. */
VmmLink *vmm_link_new(int fd, const VmmLinkEvents *events);
/* Ends the link; requests still waiting fail, the closed event is not sent. NULL is allowed. */
void vmm_link_free(VmmLink *link);

/* The process has said something that makes sense. */
gboolean vmm_link_has_heard(const VmmLink *link);
/* How many requests have no answer yet. */
guint vmm_link_n_waiting(const VmmLink *link);
/* When the oldest request was made that has no answer yet, be it given up: monotonic, 0 where all are answered. */
gint64 vmm_link_waits_since_us(const VmmLink *link);

/* A new request to fill in and hand to vmm_link_send(). */
VmmMsg *vmm_link_request(VmmLink *link, const char *verb);
/* Sends @request, which it takes over; @reply is called later, never from within. FALSE: the process will never hear of it. */
gboolean vmm_link_send(VmmLink *link, VmmMsg *request, guint timeout_ms, VmmLinkReply reply,
                   gpointer data);
