/* machine-private: what machine.c, the driver's side of a guest's life, and machine-guest.c, the guest's own, share. */
#pragma once

#include "qemu-kvm-backend/hardware.h"
#include "qemu-kvm-backend/machine-config.h"
#include "qemu-kvm-backend/machine-job.h"
#include "qemu-kvm-backend/machine.h"
#include "qemu-kvm-backend/mailbox.h"

struct Machine {
    Loop *loop;
    void (*notify)(void *data, VmmMsg *event);
    void *data;
    Mailbox *mailbox;
    const char *state;
    const char *reason;
    MachineConfig config;
    const char *then; /* what the next power-off does instead of on-poweroff, or NULL */
    Hardware *hw;     /* NULL: empty */
    bool confined;    /* "run" has come: the main thread has the filter of its role */
    MachineJob *job;  /* the guest is being saved or restored, or NULL */
    bool spoiled;     /* a restore has failed halfway */
    struct MachineMove *move; /* of RAM to other nodes, as long as there may be some to move; or NULL */
};

/* Whether its state is @state, VMM_STATE_*. */
bool machine_is(const Machine *m, const char *state);
void machine_enter(Machine *m, const char *state, const char *reason);
/* Enters "running" and lets the vCPUs go. */
void machine_go(Machine *m, const char *reason);
/* Enters "stopped", tells, writes the record and ends the loop. */
void machine_stop(Machine *m, const char *reason, const char *text);
/* The line that outlives the process. */
void machine_write_record(Machine *m, const char *text);
/* Starts over, which forgets what a power button was pressed for. */
bool machine_start_over(Machine *m, VmmError *err);
/* A sleeping guest goes on at its waking vector, and the driver hears of it; one that cannot stops. */
bool machine_wake(Machine *m, VmmError *err);
/* While the set of devices changes no vCPU runs. One that has ended its run stays parked for its mail to be read. */
void machine_unpark(Machine *m);
/* RAM stays where it is. */
void machine_move_stop(Machine *m);
/* The NMI button: a guest that masks it does not notice. */
void machine_press_nmi(Machine *m);
/* What vCPUs and devices have told, as the mailbox calls it: @data is the machine. Also before every verb: a guest
 * that has turned itself off is not resumed because the request overtook the news. */
void machine_read_mail(void *data);
