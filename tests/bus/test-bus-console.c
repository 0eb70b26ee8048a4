/* OpenConsole: a stream to the guest, passed as a descriptor. */
#include "tests/bus/fixture.h"

#include <gio/gunixfdlist.h>
#include <libvirt/libvirt.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

static int
open_console(Fixture *fixture, const char *path, const char *device, guint flags)
{
    g_autoptr(GUnixFDList) fds = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = fixture_try(fixture, path, VMCTL_DOMAIN, "OpenConsole",
                                            g_variant_new("(su)", device, flags), &fds, &error);
    int fd;

    g_assert_no_error(error);
    g_assert_cmpstr(g_variant_get_type_string(reply), ==, "(h)");
    g_assert_cmpint(g_unix_fd_list_get_length(fds), ==, 1);
    fd = g_unix_fd_list_get(fds, 0, &error);
    g_assert_no_error(error);
    return fd;
}

/* Reads until @text has been said; NULL: until the stream ends. */
static void
expect(int fd, const char *text)
{
    g_autoptr(GString) heard = g_string_new(NULL);

    while (!text || !strstr(heard->str, text)) {
        struct pollfd ready = { fd, POLLIN, 0 };
        char bytes[256];
        ssize_t n;

        if (poll(&ready, 1, 5000) <= 0)
            g_error("heard only '%s', not '%s'", heard->str, text ? text : "the end");
        n = read(fd, bytes, sizeof(bytes));
        if (n <= 0 && !text)
            return;
        g_assert_cmpint(n, >, 0);
        g_string_append_len(heard, bytes, n);
    }
}

static void
assert_echo(int fd, const char *word)
{
    g_autofree char *line = g_strconcat(word, "\n", NULL);
    g_autofree char *answer = g_ascii_strup(word, -1);

    g_assert_cmpint(write(fd, line, strlen(line)), ==, strlen(line));
    expect(fd, answer);
}

static void
test_echo(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "talks", "");
    int fd;

    fixture_do(fixture, path, "Create", FLAGS(0));
    fd = open_console(fixture, path, "", 0);
    assert_echo(fd, "hello");
    close(fd);
    fd = open_console(fixture, path, "serial0", 0);
    assert_echo(fd, "again");
    close(fd);
}

static gboolean
can_open(Fixture *fixture, gconstpointer path)
{
    g_autoptr(GVariant) reply = fixture_try(fixture, path, VMCTL_DOMAIN, "OpenConsole",
                                            g_variant_new("(su)", "", 0), NULL, NULL);

    return reply != NULL;
}

static void
test_one_session(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "single", "");
    int first, second;

    fixture_do(fixture, path, "Create", FLAGS(0));
    first = open_console(fixture, path, "", 0);
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "OpenConsole", g_variant_new("(su)", "", 0),
                       NULL, "operation failed: Active console session exists for this domain");
    second = open_console(fixture, path, "", VIR_DOMAIN_CONSOLE_FORCE);
    expect(first, NULL);
    assert_echo(second, "mine");
    close(first);
    close(second);
    fixture_wait(fixture, can_open, path);
}

static void
test_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "silent", "");

    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "OpenConsole", g_variant_new("(su)", "", 0),
                       NULL, "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "OpenConsole",
                       g_variant_new("(su)", "parallel7", 0), NULL,
                       "internal error: cannot find console device 'parallel7'");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "OpenConsole",
                       g_variant_new("(su)", "serial1", 0), NULL,
                       "internal error: character device serial1 is not using a PTY");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "OpenConsole", g_variant_new("(su)", "", 64),
                       NULL, "*unsupported flags (0x40) in function virDomainOpenConsole");
}

/* The bus connection's own thread closes what it has passed on, in its own time. */
static gboolean
has_descriptors(Fixture *fixture, gconstpointer wanted)
{
    return fixture_count_descriptors(fixture) == *(const guint *)wanted;
}

/* The stream ends with the guest, and comes back after a restart of the daemon. */
static void
test_ends(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "short", "");
    guint descriptors = fixture_count_descriptors(fixture);
    int fd;

    fixture_do(fixture, path, "Create", FLAGS(0));
    fd = open_console(fixture, path, "", 0);
    assert_echo(fd, "before");
    fixture_end_daemon(fixture, SIGKILL);
    expect(fd, NULL);
    close(fd);
    fixture_start_daemon(fixture);
    fd = open_console(fixture, path, "", 0);
    assert_echo(fd, "after");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    expect(fd, NULL);
    close(fd);
    fixture_wait(fixture, has_descriptors, &descriptors);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/console/echo", test_echo);
    g_test_add_func("/bus/console/one-session", test_one_session);
    g_test_add_func("/bus/console/refused", test_refused);
    g_test_add_func("/bus/console/ends", test_ends);
    return g_test_run();
}
