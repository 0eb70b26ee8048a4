/* signals: what a host's administrator says by kill(1), systemctl and machinectl.
 *
 * SIGTERM ends the guest as "quit" does, and at once a process that is busy making one, which may take long.
 * SIGRTMIN+4 presses the power button and SIGINT presses it for a reboot, which is how machined asks a machine
 * (its "poweroff" and "reboot").
 */
#pragma once

#include "qemu-kvm-backend/loop.h"
#include "qemu-kvm-backend/machine.h"

/* Before there is a second thread. The machine must outlive the loop's run. */
void signals_watch(Loop *loop, Machine *machine);
/* In between SIGTERM ends the process where it is, without a word, for which threads that begin there block it. Nothing
 * where nobody watches. */
void signals_step_aside(void);
void signals_step_back(void);
