/* units: guests whose processes a service manager starts, each in a unit of its own.
 *
 * The unit's command is vmctl-guest, a small program that connects to the socket here, says for which domain
 * it is, gets what a VMM starts with (its listener, its log), and becomes the VMM by execve(). So the manager
 * knows the guest's process as the unit's from the first moment, in the unit's control group, whoever asked
 * for the start: a start by the manager is a process that nobody waits for, and starts the domain; a start by
 * anybody else asks the manager for the unit and waits for its process. The unit is active as long as the
 * process is there: nothing needs to be kept in step.
 *
 * Packets are vmm-msg.h's. Requests: "start", "wait", and how the guest is to end, "stop", "save", "suspend" or
 * "default", each with "name"; only those of the daemon's own user are heard. The answer to start is "listener" fd,
 * "log" fd and "vmm" string, what to execute; to the others it is empty.
 */
#pragma once

#include "driver/env.h"

#include <glib.h>
#include <sys/types.h>

typedef struct Units Units;
typedef struct UnitCall UnitCall;

/* Who talks to the service manager. */
typedef struct UnitManager {
    /* Asks for @unit to be started; units_failed() tells where that comes to nothing. */
    void (*start)(gpointer data, const char *unit);
    /* The guest of the process @pid runs in @unit: for machined. */
    void (*running)(gpointer data, const char *name, const char *uuid, int id, pid_t pid);
    gpointer data;
} UnitManager;

/* Requests about a domain by a unit; each is answered by unit_call_answer(),
 * unit_call_drop() or unit_call_hand_over(). */
typedef struct UnitRequests {
    void (*start)(gpointer data, const char *name, UnitCall *call); /* nobody waits for it */
    void (*wait)(gpointer data, const char *name, UnitCall *call);  /* for the start's end */
    void (*stop)(gpointer data, const char *name, DriverOnStop how, UnitCall *call);
    gpointer data;
} UnitRequests;

/* Serves the listening socket @fd, which it takes over. */
Units *units_new(int fd, const UnitManager *manager, const UnitRequests *requests);
void units_free(Units *units);
/* A listening socket at RUN_DIR/units, where nobody hands us one; -1 with @error. */
int units_listen(const char *run_dir, GError **error);

/* "vmctl-guest@my\x2dguest.service", for g_free(). */
char *units_name(const char *domain);

/* Asks for a process for @domain: @ready gets the call, or NULL with an error, once; unless units_cancel(), after
 * which a process that comes is turned away. */
typedef void (*UnitReady)(gpointer data, UnitCall *call, const GError *error);
void units_request(Units *units, const char *domain, UnitReady ready, gpointer data);
void units_cancel(Units *units, gpointer data);
/* The manager could not start @unit. */
void units_failed(Units *units, const char *unit, const char *text);
void units_running(Units *units, const char *name, const char *uuid, int id, pid_t pid);

/* The process behind a call, which waits. */
pid_t unit_call_pid(const UnitCall *call);
/* Lets it become @vmm, with copies of the descriptors; ends the call. */
gboolean unit_call_hand_over(UnitCall *call, const char *vmm, int listener, int log,
                             GError **error);
/* Ends the call: it succeeded where @error is NULL. */
void unit_call_answer(UnitCall *call, const GError *error);
/* Ends the call without a word: whoever waits asks the next daemon. */
void unit_call_drop(UnitCall *call);

/* Whether the manager starts the unit of @domain with the host; it is a link, as systemctl makes it. */
gboolean units_enabled(const char *domain);
gboolean units_set_enabled(const char *domain, gboolean enabled, GError **error);
/* There is such a manager on this host, and the unit is installed. */
gboolean units_are_there(void);
