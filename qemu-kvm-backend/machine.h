/* machine: a guest's life. What the driver asks of it and what the guest does to itself, by the states
 * below and by policy; the hardware itself is in hardware.h.
 *
 * Every call is the main thread's. The locks of the VMM, in the order in which they are taken:
 *
 *     1. Pci.lock         the PCI tree and all configuration space: over a guest's access to it
 *     2. Device.lock      one device's registers: bus dispatch, and the device's work in its loop; the
 *                         real-time clock's over that of the power management, which its alarm may wake
 *     3. VirtioPci.isr_lock, then Pci.irq_lock   interrupt pins, and the lines that they share
 *     4. Irqs.lock        the table of interrupt messages
 *     5. Bus.lock         which device answers where; for as long as a lookup or a change takes
 *     6. Mailbox.lock     what vCPU threads have told the main thread
 *     7. Vcpus.lock       which vCPU threads may run, and how many do
 *     8. Loop.calls_lock  what other threads want done in a loop's thread
 *     9. limit_lock       in log.c
 *
 * None but the first three is held while another module is called. The main thread waits for vCPUs with
 * Vcpus.lock alone, and for iothreads with Loop.calls_lock alone, so it never does so while it holds a
 * device.
 *
 *     empty --create--> created --run--> running <--run/pause--> paused <--restore-- created
 *                                          ^ | |                   |
 *                           wakeup, reset  | | +---> stopped <-----+   the process exits
 *                                          | v
 *                                       suspended <--restore-- created
 */
#pragma once

#include "qemu-kvm-backend/error.h"
#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <stdbool.h>

typedef struct Machine Machine;

/* @notify takes an event for the driver over. */
Machine *machine_new(Loop *loop, void (*notify)(void *data, VmmMsg *event), void *data);
/* Ends vCPUs and devices. NULL is allowed. */
void machine_free(Machine *machine);

const char *machine_state(const Machine *machine);  /* VMM_STATE_* */
const char *machine_reason(const Machine *machine); /* VMM_REASON_*: why it is in that state */
/* It has been turned on, or one was restored: there is something to lose. */
bool machine_has_guest(const Machine *machine);

/* The verbs of vmm-proto.h; @msg is the request. What fails leaves the machine as it was. */
bool machine_create(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_add_device(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_remove_device(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_run(Machine *machine, VmmError *err);
bool machine_pause(Machine *machine, VmmError *err);
bool machine_wakeup(Machine *machine, VmmError *err);
bool machine_reset(Machine *machine, VmmError *err);
bool machine_power_button(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_inject_nmi(Machine *machine, VmmError *err);
bool machine_peek(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_set_action(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_set_memory_nodes(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_tell_device(Machine *machine, VmmMsg *msg, VmmMsg *reply, VmmError *err);
bool machine_add_iothread(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_remove_iothread(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_tell_iothread(Machine *machine, VmmMsg *msg, VmmMsg *reply, VmmError *err);
/* Begin; the event "job-ended" follows. */
bool machine_save(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_restore(Machine *machine, VmmMsg *msg, VmmError *err);
void machine_cancel_job(Machine *machine);
bool machine_track_dirty(Machine *machine, VmmMsg *msg, VmmError *err);
bool machine_take_dirty(Machine *machine, VmmMsg *reply, VmmError *err);
bool machine_stats(Machine *machine, VmmMsg *reply, VmmError *err);
/* The guest is over, the record written, and the loop ends. */
void machine_quit(Machine *machine);
