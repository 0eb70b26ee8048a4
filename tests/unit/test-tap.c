/* Taps, made in a network of the test's own. */
#include "driver/error.h"
#include "driver/tap.h"
#include "tests/unit/xml-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const guint8 mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

/* What an ioctl says about @name. */
static struct ifreq
ask(const char *name, unsigned long code)
{
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = { 0 };

    g_strlcpy(request.ifr_name, name, IFNAMSIZ);
    g_assert_cmpint(ioctl(sock, code, &request), ==, 0);
    close(sock);
    return request;
}

static void
must_open(const TapWish *wish, int *fds, char **ret_name)
{
    g_autoptr(GError) error = NULL;

    tap_open(wish, fds, ret_name, &error);
    g_assert_no_error(error);
}

static void
test_plain(void)
{
    const TapWish wish = { .queues = 1, .mac = mac };
    g_autofree char *name = NULL;
    struct ifreq request = { 0 };
    int fd;

    must_open(&wish, &fd, &name);
    g_assert_cmpstr(name, ==, "vnet0");
    g_assert_cmpint(fcntl(fd, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
    g_assert_cmpint(ioctl(fd, TUNGETIFF, &request), ==, 0);
    g_assert_cmpint(request.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE), ==,
                    IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    g_assert_cmpint(ask(name, SIOCGIFFLAGS).ifr_flags & IFF_UP, ==, IFF_UP);
    request = ask(name, SIOCGIFHWADDR);
    g_assert_cmpmem(request.ifr_hwaddr.sa_data, 6, "\xfe\x54\x00\x12\x34\x56", 6);
    close(fd);
    g_assert_cmpuint(if_nametoindex("vnet0"), ==, 0); /* it goes with its descriptor */
}

static void
test_names(void)
{
    const TapWish any = { .queues = 1, .mac = mac };
    const TapWish named = { .name = "lan0", .queues = 1, .mac = mac };
    g_autofree char *first = NULL, *second = NULL, *third = NULL;
    g_autoptr(GError) error = NULL;
    char *none = NULL;
    int fds[4];

    must_open(&any, &fds[0], &first);
    must_open(&any, &fds[1], &second);
    must_open(&named, &fds[2], &third);
    g_assert_cmpstr(first, ==, "vnet0");
    g_assert_cmpstr(second, ==, "vnet1");
    g_assert_cmpstr(third, ==, "lan0");
    g_assert_false(tap_open(&named, &fds[3], &none, &error)); /* somebody has it open */
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_assert_nonnull(strstr(error->message, "Unable to create tap device lan0: "));
    g_assert_null(none);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

static void
test_queues(void)
{
    const TapWish wish = { .queues = 3, .mac = mac, .mtu = 1400 };
    g_autofree char *name = NULL;
    struct ifreq request = { 0 };
    int fds[3];

    must_open(&wish, fds, &name);
    for (int i = 0; i < 3; i++) {
        g_assert_cmpint(ioctl(fds[i], TUNGETIFF, &request), ==, 0);
        g_assert_cmpstr(request.ifr_name, ==, name);
        g_assert_cmpint(request.ifr_flags & IFF_MULTI_QUEUE, ==, IFF_MULTI_QUEUE);
    }
    g_assert_cmpint(ask(name, SIOCGIFMTU).ifr_mtu, ==, 1400);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* A port of a bridge cannot become one of it again. */
static void
assert_port(const char *name)
{
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = { .ifr_name = "br0", .ifr_ifindex = (int)if_nametoindex(name) };

    g_assert_cmpint(ioctl(sock, SIOCBRADDIF, &request), ==, -1);
    g_assert_cmpint(errno, ==, EBUSY);
    close(sock);
}

static void
test_bridge(void)
{
    const TapWish wish = { .queues = 1, .mac = mac, .bridge = "br0" };
    g_autofree char *name = NULL;
    int fd;

    must_open(&wish, &fd, &name);
    assert_port(name);
    g_assert_cmpint(ask(name, SIOCGIFFLAGS).ifr_flags & IFF_UP, ==, IFF_UP);
    close(fd);
}

/* One that an administrator made: as it is, only opened. */
static void
test_existing(void)
{
    const TapWish first = { .name = "lan9", .queues = 1, .mac = mac, .mtu = 1300 };
    const TapWish again = {
        .name = "lan9", .existing = TRUE, .queues = 1, .mac = mac, .mtu = 1400
    };
    g_autofree char *name = NULL, *same = NULL;
    int fd;

    must_open(&first, &fd, &name);
    g_assert_cmpint(ioctl(fd, TUNSETPERSIST, 1), ==, 0);
    close(fd);
    must_open(&again, &fd, &same);
    g_assert_cmpstr(same, ==, "lan9");
    g_assert_cmpint(ask("lan9", SIOCGIFMTU).ifr_mtu, ==, 1300);
    g_assert_cmpint(ioctl(fd, TUNSETPERSIST, 0), ==, 0);
    close(fd);
}

static void
assert_fails(const TapWish *wish, const char *text)
{
    g_autoptr(GError) error = NULL;
    char *name = NULL;
    int fds[TAP_QUEUES_MAX];
    int before = dup(0), after;

    g_assert_false(tap_open(wish, fds, &name, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_assert_true(g_str_has_prefix(error->message, text));
    g_assert_null(name);
    close(before);
    after = dup(0); /* the lowest free one: nothing was left open below it */
    g_assert_cmpint(after, ==, before);
    close(after);
}

static void
test_failures(void)
{
    const TapWish no_bridge = { .queues = 2, .mac = mac, .bridge = "nobridge" };
    const TapWish too_long = { .name = "sixteen-letters-", .queues = 1, .mac = mac };
    const TapWish absent = { .name = "lan8", .existing = TRUE, .queues = 1, .mac = mac };

    assert_fails(&no_bridge, "Unable to add bridge nobridge port vnet0: ");
    g_assert_cmpuint(if_nametoindex("vnet0"), ==, 0);
    assert_fails(&too_long, "Network interface name 'sixteen-letters-' is too long: ");
    assert_fails(&absent, "There is no tap device lan8: ");
    g_assert_cmpuint(if_nametoindex("lan8"), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!enter_own_network()) {
        g_print("1..0 # SKIP no rights to make a tap, even in a namespace of its own\n");
        return 0;
    }
    g_test_add_func("/tap/plain", test_plain);
    g_test_add_func("/tap/names", test_names);
    g_test_add_func("/tap/queues", test_queues);
    g_test_add_func("/tap/bridge", test_bridge);
    g_test_add_func("/tap/existing", test_existing);
    g_test_add_func("/tap/failures", test_failures);
    return g_test_run();
}
