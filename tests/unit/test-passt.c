/* How passt is started, with a stand-in for it on the path. */
#include "driver/error.h"
#include "driver/passt.h"
#include "tests/unit/xml-fixture.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* What the stand-in says, until it closes its end. */
static char *
read_all(int fd)
{
    char buffer[256] = "";
    gsize length = 0;
    gssize n;

    while ((n = read(fd, buffer + length, sizeof(buffer) - 1 - length)) > 0)
        length += n;
    close(fd);
    return g_strdup(buffer);
}

static void
assert_called(guint mtu, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *said = NULL;
    int fd = -1;

    passt_start(mtu, &fd, &error);
    g_assert_no_error(error);
    g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    said = read_all(fd);
    g_assert_cmpstr(said, ==, expected);
}

static void
test_call(void)
{
    assert_called(0, "--foreground --quiet --fd 3\n");
    assert_called(1400, "--foreground --quiet --fd 3 --mtu 1400\n");
}

static void
test_not_installed(void)
{
    g_autofree char *path = g_strdup(g_getenv("PATH"));
    g_autoptr(GError) error = NULL;
    int fd = -1;

    g_setenv("PATH", "/nonexistent", TRUE);
    g_assert_false(passt_start(0, &fd, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_CONFIG_UNSUPPORTED);
    g_assert_nonnull(strstr(error->message, "'passt', which is not installed"));
    g_assert_cmpint(fd, ==, -1);
    g_setenv("PATH", path, TRUE);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    use_fake_passt();
    g_test_add_func("/passt/call", test_call);
    g_test_add_func("/passt/not-installed", test_not_installed);
    return g_test_run();
}
