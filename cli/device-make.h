/* device-make: the commands that describe a device by options: what the description becomes is the same for all. */
#pragma once

#include "cli/args.h"
#include "cli/session.h"

/* What such a command has in @about. */
typedef struct DeviceMake {
    /* The document, for g_free(); NULL with @error where the options make no sense. */
    char *(*document)(const Args *args, GError **error);
    const char *done, *failed; /* N_() */
} DeviceMake;

/* Prints the document (--print-xml) or attaches the device as --live, --config and so on say; without them: live. */
gboolean device_make_run(Session *session, const Args *args, GError **error);
