/* storm: eight clients that change domains of their own as fast as they can, and know what must be there when the
 * daemon is gone in the middle of it.
 *
 * A client writes down what was acknowledged. The one change that it may have under way when the daemon dies is in
 * doubt: afterwards the domain is as before or as after it, and nothing else.
 */
#pragma once

#include "tests/bus/fixture.h"

#define STORM_CLIENTS 8
#define STORM_SLOTS   4 /* domains of a client */
#define STORM_UUID    "5707a000-0000-4000-8000-0000000000%x%x"

/* A domain as a client knows it. */
typedef struct StormState {
    gboolean defined;
    guint version;    /* what its title says */
    gboolean renamed; /* it has its other name */
    guint devices;    /* plugged into the definition */
    gboolean autostart, running;
    guint live_devices;  /* into the guest */
    gboolean saved;      /* it has a managed image ... */
    guint saved_devices; /* ... of a guest with so many */
} StormState;

typedef struct StormSlot {
    char *name, *other_name, *uuid, *path;
    StormState known; /* acknowledged */
    StormState doubt; /* what a change under way may have made of it; else the same */
    int pid;          /* of its guest, 0: nobody looked */
} StormSlot;

typedef struct Storm Storm;

/* @cmdline: of the guests; @seed: the same one makes the same storm. */
Storm *storm_new(Fixture *fixture, const char *kernel, const char *cmdline, guint32 seed);
void storm_free(Storm *storm);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Storm, storm_free)

/* Guests have a tap each. */
void storm_use_taps(Storm *storm);
/* From here on a change may be refused because the disk fails, with a message that says so: then nothing has changed. */
void storm_expect_faults(Storm *storm);

/* Begins; ends, when the daemon is gone or each client has its answer. An answer that must not be fails the test. */
void storm_begin(Storm *storm);
void storm_end(Storm *storm);

StormSlot *storm_slot(Storm *storm, guint client, guint slot);
/* How many changes were acknowledged since the beginning. */
guint storm_count(const Storm *storm);
guint storm_count_refused(const Storm *storm);
