#include "driver/domain-state.h"

#include <libvirt/libvirt.h>

/* Crashed is a guest that on_crash preserves: its process is there, its vCPUs stand until somebody lets them
 * run or resets it. One that on_crash restarts is crashed for a moment only.
 *
 * Pmsuspended is one that has suspended itself. It falls asleep while it is being paused, too, and from an image; it is
 * never paused before it was woken. One that has suspended itself to its disk is so for a moment, on its way to off,
 * or to what on_poweroff says. */
static const struct {
    int from;
    int to;
} moves[] = {
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_RUNNING },  { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_PAUSED },
    { VIR_DOMAIN_RUNNING, VIR_DOMAIN_PAUSED },   { VIR_DOMAIN_PAUSED, VIR_DOMAIN_RUNNING },
    { VIR_DOMAIN_RUNNING, VIR_DOMAIN_SHUTDOWN }, { VIR_DOMAIN_PAUSED, VIR_DOMAIN_SHUTDOWN },
    { VIR_DOMAIN_RUNNING, VIR_DOMAIN_CRASHED },  { VIR_DOMAIN_PAUSED, VIR_DOMAIN_CRASHED },
    { VIR_DOMAIN_CRASHED, VIR_DOMAIN_RUNNING },  { VIR_DOMAIN_CRASHED, VIR_DOMAIN_PAUSED },
    { VIR_DOMAIN_RUNNING, VIR_DOMAIN_SHUTOFF },  { VIR_DOMAIN_PAUSED, VIR_DOMAIN_SHUTOFF },
    { VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTOFF }, { VIR_DOMAIN_CRASHED, VIR_DOMAIN_SHUTOFF },
    { VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_RUNNING }, { VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_PAUSED },
    { VIR_DOMAIN_RUNNING, VIR_DOMAIN_PMSUSPENDED }, { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PMSUSPENDED },
    { VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_RUNNING }, { VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_PAUSED },
    { VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_SHUTDOWN }, { VIR_DOMAIN_PMSUSPENDED, VIR_DOMAIN_SHUTOFF },
};

gboolean
domain_state_may_move(int from, int to)
{
    if (from == to)
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(moves); i++) {
        if (moves[i].from == from && moves[i].to == to)
            return TRUE;
    }
    return FALSE;
}

const char *
domain_state_to_string(int state)
{
    static const char *const words[] = {
        [VIR_DOMAIN_NOSTATE] = "no state",     [VIR_DOMAIN_RUNNING] = "running",
        [VIR_DOMAIN_BLOCKED] = "idle",         [VIR_DOMAIN_PAUSED] = "paused",
        [VIR_DOMAIN_SHUTDOWN] = "in shutdown", [VIR_DOMAIN_SHUTOFF] = "shut off",
        [VIR_DOMAIN_CRASHED] = "crashed",      [VIR_DOMAIN_PMSUSPENDED] = "pmsuspended",
    };

    return state >= 0 && state < (int)G_N_ELEMENTS(words) ? words[state] : "unknown";
}

const char *
domain_shutoff_to_string(int reason)
{
    static const char *const words[] = {
        [VIR_DOMAIN_SHUTOFF_UNKNOWN] = "unknown",
        [VIR_DOMAIN_SHUTOFF_SHUTDOWN] = "shutdown",
        [VIR_DOMAIN_SHUTOFF_DESTROYED] = "destroyed",
        [VIR_DOMAIN_SHUTOFF_CRASHED] = "crashed",
        [VIR_DOMAIN_SHUTOFF_MIGRATED] = "migrated",
        [VIR_DOMAIN_SHUTOFF_SAVED] = "saved",
        [VIR_DOMAIN_SHUTOFF_FAILED] = "failed",
        [VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT] = "from snapshot",
        [VIR_DOMAIN_SHUTOFF_DAEMON] = "daemon",
    };

    return reason >= 0 && reason < (int)G_N_ELEMENTS(words) ? words[reason] : "unknown";
}
