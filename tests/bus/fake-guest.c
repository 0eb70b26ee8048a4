#include "tests/bus/fake-guest.h"

#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/bus/fake-clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BANNER "fake guest here\r\n"

bool
fake_behaves(const Fake *fake, const char *word)
{
    const char *at = strstr(fake->cmdline, "fake=");
    size_t size = strlen(word);

    return at && strncmp(at + 5, word, size) == 0 && (at[5 + size] == '\0' || at[5 + size] == ' ');
}

/* What is said */

void
fake_send(Fake *fake, VmmMsg *msg)
{
    if (fake->conn >= 0)
        vmm_msg_send(fake->conn, msg);
    vmm_msg_free(msg);
}

static void
tell(Fake *fake, const char *name, const char *reason)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, name);

    vmm_msg_put_string(msg, "reason", reason);
    fake_send(fake, msg);
}

static void
tell_of_device(Fake *fake, const char *name, const char *id, const char *action)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, name);

    vmm_msg_put_string(msg, "id", id);
    if (action)
        vmm_msg_put_string(msg, "action", action);
    fake_send(fake, msg);
}

void
fake_say(Fake *fake, const char *text, size_t size)
{
    for (size_t i = 0; i < fake->n_serials; i++) {
        if (write(fake->serials[i].fd, text, size) < 0)
            fprintf(stderr, "fake-vmm: serial port: %s\n", strerror(errno));
    }
}

void
fake_say_banner(Fake *fake)
{
    fake_say(fake, BANNER, strlen(BANNER));
}

/* What the guest does */

static void
stop(Fake *fake, const char *reason, const char *text)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_STOPPED);

    if (fake->record >= 0)
        dprintf(fake->record, "%s %s %s\n", VMM_STATE_STOPPED, reason, text);
    vmm_msg_put_string(msg, "state", VMM_STATE_STOPPED);
    vmm_msg_put_string(msg, "reason", reason);
    vmm_msg_put_string(msg, "text", text);
    fake_send(fake, msg);
    exit(0);
}

void
fake_act(Fake *fake, const char *action, const char *reason, const char *text)
{
    if (strcmp(action, VMM_ACTION_RESET) == 0) {
        tell(fake, VMM_EVENT_RESET, reason);
        fake_devices_reset(fake->devices);
        fake_say_banner(fake);
    } else if (strcmp(action, VMM_ACTION_PAUSE) == 0) {
        fake->state = VMM_STATE_PAUSED;
        fake->reason = reason;
        tell(fake, VMM_EVENT_PAUSED, reason);
    } else {
        stop(fake, reason, text);
    }
}

void
fake_fall_asleep(Fake *fake)
{
    fake->state = VMM_STATE_SUSPENDED;
    fake->reason = VMM_REASON_SLEEP;
    fake_send(fake, vmm_msg_new(VMM_MSG_EVENT, 0, VMM_EVENT_SUSPENDED));
}

static void
be_bitten(Fake *fake)
{
    if (fake_behaves(fake, "bitten-pause")) {
        tell_of_device(fake, VMM_EVENT_WATCHDOG, "watchdog0", VMM_WATCHDOG_PAUSE);
        fake_act(fake, VMM_ACTION_PAUSE, VMM_REASON_WATCHDOG, "");
    } else if (fake_behaves(fake, "bitten-off")) {
        tell_of_device(fake, VMM_EVENT_WATCHDOG, "watchdog0", VMM_WATCHDOG_POWEROFF);
        fake_act(fake, VMM_ACTION_STOP, VMM_REASON_POWER_CUT, "The watchdog expired");
    }
}

void
fake_hang_up(Fake *fake)
{
    close(fake->conn);
    fake->conn = -1;
}

/* The process itself is out of order. */
static void
be_rude(Fake *fake)
{
    if (fake_behaves(fake, "babble") && send(fake->conn, "babble", 6, MSG_NOSIGNAL) < 0)
        fprintf(stderr, "fake-vmm: babble: %s\n", strerror(errno));
    if (fake_behaves(fake, "hang-up")) {
        fake_hang_up(fake);
        fake_act(fake, VMM_ACTION_PAUSE, VMM_REASON_IO_ERROR, "");
    }
}

void
fake_boot(Fake *fake)
{
    fake_say_banner(fake);
    fake_devices_boot(fake->devices);
    fake_clock_boot(fake);
    be_rude(fake);
    if (fake_behaves(fake, "die"))
        _exit(1);
    if (fake_behaves(fake, "crash"))
        fake_act(fake, fake->on_crash, VMM_REASON_CRASHED, "the fake guest crashed as told");
    if (fake_behaves(fake, "panic"))
        fake_act(fake, fake->on_crash, VMM_REASON_PANICKED, "the fake guest panicked as told");
    if (fake_behaves(fake, "crash-loaded"))
        tell_of_device(fake, VMM_EVENT_CRASH_LOADED, "panic0", NULL);
    be_bitten(fake);
    if (fake_behaves(fake, "disk-full")) {
        fake_devices_fill(fake->devices, VMM_ACTION_PAUSE);
        fake_act(fake, VMM_ACTION_PAUSE, VMM_REASON_IO_ERROR, "");
    }
    if (fake_behaves(fake, "disk-ignored"))
        fake_devices_fill(fake->devices, "ignore");
    if (fake_behaves(fake, "io-error"))
        fake_act(fake, VMM_ACTION_PAUSE, VMM_REASON_IO_ERROR, "");
    if (fake_behaves(fake, "sleep"))
        fake_fall_asleep(fake);
    if (fake_behaves(fake, "hibernate"))
        fake_act(fake, fake->on_poweroff, VMM_REASON_HIBERNATED, "");
    if (fake_behaves(fake, "reboot"))
        fake_act(fake, fake->on_reboot, VMM_REASON_RESET, "");
}

void
fake_feel_button(Fake *fake)
{
    char then[16];

    if (fake_behaves(fake, "ignore-button"))
        return;
    snprintf(then, sizeof(then), "%s", fake->then[0] ? fake->then : fake->on_poweroff);
    fake->then[0] = '\0';
    fake_act(fake, then, VMM_REASON_POWEROFF, "");
}

/* What it hears */

void
fake_hear_serial(Fake *fake, Serial *serial)
{
    char bytes[512];
    ssize_t n = read(serial->asleep ? serial->watch : serial->fd, bytes, sizeof(bytes));

    if (serial->asleep || n <= 0) {
        /* A pty that nobody has open hangs up without end: then wait for the watch instead. */
        serial->asleep = !serial->asleep;
        return;
    }
    for (ssize_t i = 0; i < n; i++)
        bytes[i] = toupper((unsigned char)bytes[i]);
    if (strcmp(fake->state, VMM_STATE_RUNNING) == 0)
        fake_say(fake, bytes, n);
}

void
fake_hear_agent(Fake *fake, int fd)
{
    char how = 'p';

    if (read(fd, &how, 1) != 1)
        return;
    if (how == 's')
        fake_fall_asleep(fake);
    else if (how == 'd')
        fake_act(fake, fake->on_poweroff, VMM_REASON_HIBERNATED, "");
    else
        fake_act(fake, how == 'r' ? fake->on_reboot : fake->on_poweroff,
                 how == 'r' ? VMM_REASON_RESET : VMM_REASON_POWEROFF, "");
}
