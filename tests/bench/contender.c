#include "tests/bench/contender.h"

#include "tests/guest/vmm-harness.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_US (120 * G_USEC_PER_SEC) /* a stock kernel in a busy lab takes 20 s */

Guest *
guest_spawn(const Contender *contender, const GuestSpec *spec)
{
    Guest *guest = g_malloc0(contender->guest_size);
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        g_error("socketpair: %s", g_strerror(errno));
    guest->contender = contender;
    guest->spec = spec;
    guest->serial = ends[0];
    guest->heard = g_string_new(NULL);
    guest->started_us = g_get_monotonic_time();
    contender->spawn(guest, ends[1]);
    close(ends[1]);
    return guest;
}

void
guest_free(Guest *guest)
{
    if (!guest)
        return;
    guest->contender->end(guest);
    close(guest->serial);
    g_string_free(guest->heard, TRUE);
    g_free(guest);
}

void
guest_wait_control(Guest *guest)
{
    guest->contender->wait_control(guest);
}

void
guest_boot(Guest *guest)
{
    if (guest->contender->boot)
        guest->contender->boot(guest);
}

Guest *
guest_start(const Contender *contender, const GuestSpec *spec)
{
    Guest *guest = guest_spawn(contender, spec);

    guest_boot(guest);
    return guest;
}

static void
hear(Guest *guest, const char *awaited, gint64 limit)
{
    struct pollfd poller = { .fd = guest->serial, .events = POLLIN };
    gint64 left_ms = (limit - g_get_monotonic_time()) / 1000;
    char chunk[4096];
    ssize_t n = -1;

    if (left_ms > 0 && poll(&poller, 1, left_ms) == 1)
        n = read(guest->serial, chunk, sizeof(chunk));
    if (n <= 0) {
        g_autofree char *log = guest->contender->log(guest);

        g_error("%s: '%s' did not come.\nIts log:\n%s\nThe guest said:\n%s", guest->contender->name,
                awaited, log, guest->heard->str);
    }
    g_string_append_len(guest->heard, chunk, n);
}

gint64
guest_wait_text(Guest *guest, const char *text)
{
    gint64 limit = g_get_monotonic_time() + LIMIT_US;
    const char *at;

    while (!(at = strstr(guest->heard->str, text)))
        hear(guest, text, limit);
    g_string_erase(guest->heard, 0, at - guest->heard->str + strlen(text));
    return g_get_monotonic_time();
}

char *
guest_payload(const char *name)
{
    g_autofree char *path = g_build_filename("tests/guest/payload", name, NULL);

    return vmm_built(path);
}
