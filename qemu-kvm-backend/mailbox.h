/* mailbox: how vCPU threads tell the main thread something, without waiting for it. */
#pragma once

#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <stdbool.h>

typedef struct Mailbox Mailbox;

/* Why this run of the guest is over. */
typedef struct Ending {
    const char *reason; /* VMM_REASON_* */
    char text[256];
} Ending;

/* @fn is called in the main thread when there is something to take. */
Mailbox *mailbox_new(Loop *loop, void (*fn)(void *data), void *data);
void mailbox_free(Mailbox *mailbox);

/* Any thread. Takes @event over. */
void mailbox_post_event(Mailbox *mailbox, VmmMsg *event);
/* Any thread. The first ending counts until it is taken; true for that one. */
bool mailbox_post_ending(Mailbox *mailbox, const char *reason, const char *text);

/* The main thread. The oldest event, or NULL; the caller owns it. */
VmmMsg *mailbox_take_event(Mailbox *mailbox);
bool mailbox_has_ending(Mailbox *mailbox);
bool mailbox_take_ending(Mailbox *mailbox, Ending *ret);
