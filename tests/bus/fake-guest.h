/* fake-guest: the guest that the fake VMM makes believe, as far as any of it is there.
 *
 * It is told how to behave by a word of its kernel command line:
 *     fake=fail-create     "create" is refused
 *     fake=create-waits    the process stops in "create", until it is told to continue
 *     fake=hang            "run" is never answered
 *     fake=crash           cannot go on as soon as it runs
 *     fake=die             the process dies as soon as it runs, without a word
 *     fake=panic           its kernel panics as soon as it runs
 *     fake=crash-loaded    the same, with a crash kernel that sees to it
 *     fake=bitten-pause    its watchdog expires as soon as it runs and pauses it
 *     fake=bitten-off      the same, and cuts the power
 *     fake=disk-full       the host's disk is full as soon as it runs, until it is run again
 *     fake=disk-ignored    the same, and nobody cares
 *     fake=io-error        pauses itself as soon as it runs, for a disk that failed
 *     fake=reboot          resets itself once, as soon as it runs
 *     fake=sleep           suspends itself to memory as soon as it runs
 *     fake=hibernate       suspends itself to its disk as soon as it runs
 *     fake=babble          the process says what makes no sense as soon as it runs
 *     fake=hang-up         the process leaves the driver alone as soon as it runs, and then pauses it for a disk that failed
 *     fake=ignore-button   does nothing about the power button
 *     fake=no-keyboard     it has none
 *     fake=save-fails      the file that it is saved to is full
 *     fake=save-hangs      it is never saved to its end; cancelling works
 *     fake=save-dies       the process dies while it is saved
 *     fake=run-on-dies     the process dies when it is told to run on, after a restore say
 *     fake=run-on-hangs    that is never answered, and not done
 *     fake=restore-hangs-up  the process leaves the driver alone while it is restored
 *     fake=restore-waits   the process stops in "restore", until it is told to continue
 *     fake=restore-fails   what it is restored from is not what it can use
 * and those of fake-devices.h and fake-clock.h. Otherwise it powers off when the button is pressed. Its serial port says
 * a banner, and says whatever it hears in capitals.
 */
#pragma once

#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "tests/bus/fake-devices.h"

#define FAKE_SERIALS_MAX 4

typedef struct Serial {
    int fd, watch; /* the watch tells that somebody opened the other side of a closed pty */
    bool asleep;   /* nobody is there to be heard, or, without a watch, ever will be */
} Serial;

typedef struct Fake {
    int conn, record;
    const char *state, *reason;
    char cmdline[256];
    char on_poweroff[16], on_reboot[16], on_crash[16];
    char then[16]; /* what the power-off that answers the button does instead */
    uint64_t vcpus;
    int64_t clock_first, clock_ahead; /* seconds ahead of UTC, at first and now */
    Serial serials[FAKE_SERIALS_MAX];
    size_t n_serials;
    FakeDevices *devices;
    int saving; /* what is written to, of a save that hangs; -1: none */
} Fake;

/* Whether its command line has @word. */
bool fake_behaves(const Fake *fake, const char *word);

void fake_hang_up(Fake *fake);
/* Says @event to the driver, where there is one; takes it over. */
void fake_send(Fake *fake, VmmMsg *event);

/* It runs for the first time; suspends itself to memory; its power button is pressed; one of VMM_ACTION_* comes, for
 * @reason. */
void fake_boot(Fake *fake);
void fake_fall_asleep(Fake *fake);
void fake_feel_button(Fake *fake);
void fake_act(Fake *fake, const char *action, const char *reason, const char *text);

/* Its serial ports say this; the banner; and hear what is there to be heard. */
void fake_say(Fake *fake, const char *text, size_t size);
void fake_say_banner(Fake *fake);
void fake_hear_serial(Fake *fake, Serial *serial);
/* Its agent tells it by @fd to go, or to sleep. */
void fake_hear_agent(Fake *fake, int fd);
