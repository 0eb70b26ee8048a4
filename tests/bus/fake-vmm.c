/* fake-vmm: speaks the contract of vmm-proto.h as a VMM does, with no machine behind it, for a guest that is made believe
 * (fake-guest.h).
 */
#include "qemu-kvm-backend/proto/vmm-proto.h"
#include "tests/bus/fake-requests.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIFETIME_S 120 /* since the last that was heard: a test that lost sight of us */

static void
hear_driver(Fake *fake)
{
    vmm_msg_auto request = vmm_msg_recv(fake->conn);

    if (request) {
        fake_serve(fake, request);
    } else if (errno != EAGAIN) {
        close(fake->conn);
        fake->conn = -1;
        if (strcmp(fake->state, VMM_STATE_EMPTY) == 0)
            exit(0);
    }
}

static void
turn(Fake *fake)
{
    struct pollfd polls[2 + FAKE_SERIALS_MAX];

    polls[0] = (struct pollfd){ fake->conn >= 0 ? fake->conn : VMM_LISTEN_FD, POLLIN, 0 };
    for (size_t i = 0; i < fake->n_serials; i++) {
        Serial *serial = &fake->serials[i];

        polls[1 + i] = (struct pollfd){ serial->asleep ? serial->watch : serial->fd, POLLIN, 0 };
    }
    polls[1 + fake->n_serials] = (struct pollfd){ fake_devices_agent(fake->devices), POLLIN, 0 };
    if (poll(polls, 2 + fake->n_serials, -1) < 0)
        return;
    if (polls[1 + fake->n_serials].revents)
        fake_hear_agent(fake, polls[1 + fake->n_serials].fd);
    for (size_t i = 0; i < fake->n_serials; i++) {
        if (polls[1 + i].revents)
            fake_hear_serial(fake, &fake->serials[i]);
    }
    if (polls[0].revents && fake->conn >= 0)
        hear_driver(fake);
    else if (polls[0].revents)
        fake->conn = accept4(VMM_LISTEN_FD, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static void
tell_driver(void *data, VmmMsg *event)
{
    fake_send(data, event);
}

static bool
guest_behaves(void *data, const char *word)
{
    return fake_behaves(data, word);
}

int
main(void)
{
    Fake fake = {
        .conn = -1,
        .record = -1,
        .saving = -1,
        .state = VMM_STATE_EMPTY,
        .reason = VMM_REASON_USER,
        .on_poweroff = VMM_ACTION_STOP,
        .on_reboot = VMM_ACTION_RESET,
        .on_crash = VMM_ACTION_STOP,
    };

    fake.devices = fake_devices_new(tell_driver, &fake);
    fake_devices_set_guest(fake.devices, guest_behaves);
    for (;;) {
        alarm(LIFETIME_S);
        turn(&fake);
    }
}
