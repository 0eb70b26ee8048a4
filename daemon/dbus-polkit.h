/* dbus-polkit: whether a client of the bus may do something, asked of polkit's authority
 * (org.freedesktop.PolicyKit1.Authority, CheckAuthorization). */
#pragma once

#include <gio/gio.h>

typedef enum PolkitAnswer {
    POLKIT_YES,
    POLKIT_NO,
    POLKIT_CHALLENGE, /* whoever it is would have to say a password, and there is nobody to ask for it */
    POLKIT_DISMISSED, /* was asked, and would not */
    POLKIT_ABSENT,    /* there is no authority on this bus */
    POLKIT_BROKEN,    /* it does not answer; what it said is in the error */
} PolkitAnswer;

typedef void (*PolkitDone)(PolkitAnswer answer, const GError *error, gpointer data);

/* Asks whether @sender, a unique name, may do @action. @details (a{ss}, floating) are what a rule may look
 * at. With @interactive the user may be asked for a password, which takes as long as it takes. */
void polkit_check(GDBusConnection *bus, const char *sender, const char *action, GVariant *details,
                  gboolean interactive, PolkitDone done, gpointer data);
