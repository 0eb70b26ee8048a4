/* hook: an administrator's programs that are run when a guest comes and goes.
 *
 * They are libvirt's ("Hooks for specific system management"): the program qemu in the directory "hooks" beside the
 * definitions, and after it those in qemu.d in the order of their names. Each gets the domain's name, an operation, its
 * part and "-" as arguments, and the live document on its standard input; what it prints goes nowhere, what it
 * complains of into a message. Those that are there are looked up once for each operation.
 *
 * The hooks of a domain run one at a time, in the order in which they were asked for: those of a guest that has ended are
 * over before the next start's begin. The daemon goes on meanwhile.
 */
#pragma once

#include "driver/domain-private.h"

typedef struct Hook Hook;

/* libvirt's operations. */
#define HOOK_PREPARE   "prepare"
#define HOOK_RESTORE   "restore"
#define HOOK_START     "start"
#define HOOK_STARTED   "started"
#define HOOK_RECONNECT "reconnect"
#define HOOK_STOPPED   "stopped"
#define HOOK_RELEASE   "release"

/* Runs what there is for @operation on a guest of @def with the number @id. @done, which may be NULL, comes from the main
 * loop; its error is VIR_ERR_HOOK_SCRIPT_FAILED where a program fails, after which no other one is run. The answer is
 * borrowed, until then. NULL: there is nothing to be run, or to be waited for, and @done is not called. */
Hook *hook_begin(Domain *domain, const char *operation, const DomainDef *def, int id,
                 DomainDone done, gpointer data);
/* Nobody waits for it any more: a program that runs is killed, and @done is not called. */
void hook_cancel(Hook *hook);
/* Nor for one of @domain's that only hears what has become of a guest, has had its time, and holds up those behind it. */
void hook_hurry(Domain *domain);

/* A guest of @def has ended, and what it had of the host is free. */
void hook_guest_ended(Domain *domain, const DomainDef *def, int id);
/* The daemon stops: what has not begun is not run, a program that runs goes on by itself. */
void hook_drop(Domain *domain);
