/* The codec of the contract: what goes in comes out, and what is no message is refused. */
#include "qemu-kvm-backend/proto/vmm-msg.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int
count_fds(void)
{
    g_autoptr(GDir) dir = g_dir_open("/proc/self/fd", 0, NULL);
    int n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

static VmmMsg *
over_a_socket(VmmMsg *msg)
{
    int ends[2];
    VmmMsg *got;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_true(vmm_msg_send(ends[0], msg));
    got = vmm_msg_recv(ends[1]);
    g_assert_nonnull(got);
    close(ends[0]);
    close(ends[1]);
    return got;
}

static VmmMsg *
every_type(void)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 7, "create");

    vmm_msg_put_u64(msg, "memory", G_MAXUINT64);
    vmm_msg_put_i64(msg, "offset", G_MININT64);
    vmm_msg_put_bool(msg, "acpi", true);
    vmm_msg_put_string(msg, "cmdline", "console=ttyS0 \xc3\xbc");
    vmm_msg_put_string(msg, "empty", "");
    vmm_msg_put_bytes(msg, "blob", "\0\1\2", 3);
    vmm_msg_put_fd(msg, "kernel", open("/dev/null", O_RDONLY | O_CLOEXEC));
    vmm_msg_put_fd(msg, "initrd", open("/dev/zero", O_RDONLY | O_CLOEXEC));
    return msg;
}

static void
test_round_trip(void)
{
    int fds_before = count_fds(), fd;
    VmmMsg *sent = every_type();
    VmmMsg *msg = over_a_socket(sent);
    uint64_t u = 0;
    int64_t i = 0;
    bool b = false;
    const char *s = NULL;
    const void *data = NULL;
    size_t size = 0;
    char byte = 1;

    vmm_msg_free(sent);
    g_assert_cmpint(vmm_msg_kind(msg), ==, VMM_MSG_REQUEST);
    g_assert_cmpuint(vmm_msg_serial(msg), ==, 7);
    g_assert_cmpstr(vmm_msg_name(msg), ==, "create");
    g_assert_true(vmm_msg_get_u64(msg, "memory", &u) && u == G_MAXUINT64);
    g_assert_true(vmm_msg_get_i64(msg, "offset", &i) && i == G_MININT64);
    g_assert_true(vmm_msg_get_bool(msg, "acpi", &b) && b);
    g_assert_true(vmm_msg_get_string(msg, "cmdline", &s));
    g_assert_cmpstr(s, ==, "console=ttyS0 \xc3\xbc");
    g_assert_true(vmm_msg_get_bytes(msg, "blob", &data, &size));
    g_assert_cmpmem(data, size, "\0\1\2", 3);
    g_assert_true(vmm_msg_take_fd(msg, "initrd", &fd));
    g_assert_cmpint(read(fd, &byte, 1), ==, 1);
    g_assert_cmpint(byte, ==, 0);
    g_assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    g_assert_false(vmm_msg_take_fd(msg, "initrd", &fd)); /* only once */
    g_assert_cmpstr(vmm_msg_unread(msg), ==, "empty");
    g_assert_true(vmm_msg_get_string(msg, "empty", &s));
    g_assert_cmpstr(s, ==, "");
    g_assert_cmpstr(vmm_msg_unread(msg), ==, "kernel");
    close(fd);
    vmm_msg_free(msg); /* closes the kernel that nobody took */
    g_assert_cmpint(count_fds(), ==, fds_before);
}

static void
test_wrong_type_or_key(void)
{
    vmm_msg_auto msg = every_type();
    const char *s = "untouched";
    uint64_t u = 42;
    int fd = -7;

    g_assert_false(vmm_msg_get_string(msg, "memory", &s));
    g_assert_false(vmm_msg_get_u64(msg, "offset", &u));
    g_assert_false(vmm_msg_get_u64(msg, "nothing", &u));
    g_assert_false(vmm_msg_take_fd(msg, "memory", &fd));
    g_assert_cmpstr(s, ==, "untouched");
    g_assert_cmpuint(u, ==, 42);
    g_assert_cmpint(fd, ==, -7);
    g_assert_cmpstr(vmm_msg_unread(msg), ==, "memory"); /* a failed look is no reading */
}

static void
assert_unsendable(VmmMsg *msg, int expected)
{
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_false(vmm_msg_send(ends[0], msg));
    g_assert_cmpint(errno, ==, expected);
    close(ends[0]);
    close(ends[1]);
    vmm_msg_free(msg);
}

static void
test_limits(void)
{
    int fds_before = count_fds();
    g_autofree char *large = g_strnfill(VMM_MSG_MAX, 'x');
    VmmMsg *msg = vmm_msg_new(VMM_MSG_EVENT, 0, "event");

    vmm_msg_put_string(msg, "text", large);
    assert_unsendable(msg, EMSGSIZE);

    msg = vmm_msg_new(VMM_MSG_EVENT, 0, "event");
    vmm_msg_put_u64(msg, "same", 1);
    vmm_msg_put_u64(msg, "same", 2);
    assert_unsendable(msg, EINVAL);

    msg = vmm_msg_new(VMM_MSG_EVENT, 0, "event");
    vmm_msg_put_u64(msg, "Bad Key", 1);
    assert_unsendable(msg, EINVAL);

    msg = vmm_msg_new(VMM_MSG_EVENT, 0, "event");
    for (unsigned i = 0; i <= VMM_MSG_FDS_MAX; i++) {
        g_autofree char *key = g_strdup_printf("fd-%u", i);

        vmm_msg_put_fd(msg, key, open("/dev/null", O_RDONLY | O_CLOEXEC));
    }
    assert_unsendable(msg, EMSGSIZE);
    g_assert_cmpint(count_fds(), ==, fds_before);
}

/* Any packet cut short, and any with one byte changed, is refused or a message: never a crash, never a
 * descriptor left over. */
static void
test_damaged(void)
{
    int fds_before = count_fds();
    vmm_msg_auto msg = every_type();
    size_t size;
    const uint8_t *bytes = vmm_msg_bytes(msg, &size);
    unsigned refused = 0;

    for (size_t cut = 0; cut < size; cut++) {
        int fds[2] = { open("/dev/null", O_RDONLY | O_CLOEXEC),
                       open("/dev/null", O_RDONLY | O_CLOEXEC) };

        g_assert_null(vmm_msg_parse(bytes, cut, fds, 2));
        g_assert_cmpint(errno, ==, EBADMSG);
    }
    for (size_t at = 0; at < size * 8; at++) {
        int fds[2] = { open("/dev/null", O_RDONLY | O_CLOEXEC),
                       open("/dev/null", O_RDONLY | O_CLOEXEC) };
        g_autofree uint8_t *copy = g_memdup2(bytes, size);
        vmm_msg_auto got = NULL;

        copy[at / 8] ^= 1 << at % 8;
        got = vmm_msg_parse(copy, size, fds, 2);
        refused += got == NULL;
    }
    g_assert_cmpuint(refused, >,
                     size); /* of the eight ways to change a byte of structure most are wrong */
    vmm_msg_clear(&msg);
    g_assert_cmpint(count_fds(), ==, fds_before);
}

static void
test_descriptors_must_match(void)
{
    VmmMsg *msg = every_type();
    size_t size;
    const void *bytes = vmm_msg_bytes(msg, &size);
    int fds[3] = { open("/dev/null", O_RDONLY), open("/dev/null", O_RDONLY),
                   open("/dev/null", O_RDONLY) };

    g_assert_null(vmm_msg_parse(bytes, size, fds, 3)); /* one that no field names */
    fds[0] = open("/dev/null", O_RDONLY);
    g_assert_null(vmm_msg_parse(bytes, size, fds, 1)); /* one that is not there */
    vmm_msg_free(msg);
}

static void
test_peer_gone(void)
{
    int ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_null(vmm_msg_recv(ends[1]));
    g_assert_cmpint(errno, ==, EAGAIN);
    close(ends[0]);
    g_assert_null(vmm_msg_recv(ends[1]));
    g_assert_cmpint(errno, ==, 0);
    close(ends[1]);
}

static void
test_describe(void)
{
    vmm_msg_auto msg = every_type();
    char *text = vmm_msg_describe(msg);

    g_assert_cmpstr(
        text, ==,
        "create\n  memory=18446744073709551615\n  offset=-9223372036854775808\n  acpi=true\n"
        "  cmdline='console=ttyS0 \xc3\xbc'\n  empty=''\n  blob=bytes[3]\n  kernel=descriptor\n"
        "  initrd=descriptor\n");
    free(text);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmm-msg/round-trip", test_round_trip);
    g_test_add_func("/vmm-msg/wrong-type-or-key", test_wrong_type_or_key);
    g_test_add_func("/vmm-msg/limits", test_limits);
    g_test_add_func("/vmm-msg/damaged", test_damaged);
    g_test_add_func("/vmm-msg/descriptors-must-match", test_descriptors_must_match);
    g_test_add_func("/vmm-msg/peer-gone", test_peer_gone);
    g_test_add_func("/vmm-msg/describe", test_describe);
    return g_test_run();
}
