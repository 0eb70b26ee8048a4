/* What a daemon leaves for the next one about a guest: of an older one it is read, damaged it is refused. */
#include "driver/error.h"
#include "driver/guest.h"

#include <string.h>

#define STATUS(version, id, rest)                                                                  \
    "[guest]\nversion=" version "\nid=" id "\npid=4711\nstart-time=99\n" rest

static gboolean
parse(const char *text, GuestStatus *status, GError **error)
{
    return guest_parse_status(text, strlen(text), status, error);
}

static void
test_status(void)
{
    GuestStatus status;
    g_autoptr(GError) error = NULL;

    g_assert_true(parse(STATUS("1", "7", "state=3\nreason=1\nupdated=true\n"), &status, &error));
    g_assert_no_error(error);
    g_assert_cmpint(status.id, ==, 7);
    g_assert_cmpint(status.pid, ==, 4711);
    g_assert_cmpuint(status.start_time, ==, 99);
    g_assert_cmpint(status.state, ==, 3);
    g_assert_cmpint(status.reason, ==, 1);
    g_assert_true(status.updated);
}

/* What the first daemons wrote had no "updated"; what a later one adds is not looked at. */
static void
test_older_and_newer(void)
{
    GuestStatus status;
    g_autoptr(GError) error = NULL;

    g_assert_true(parse(STATUS("1", "7", "state=1\nreason=1\n"), &status, NULL));
    g_assert_false(status.updated);
    g_assert_true(parse(STATUS("1", "7", "state=1\nreason=1\nwhat=else\n"), &status, NULL));
    g_assert_false(parse(STATUS("99", "7", "state=1\nreason=1\n"), &status, &error));
    g_assert_cmpstr(error->message, ==,
                    "operation failed: version 99 of a guest's status is not known here");
}

static void
test_damaged(void)
{
    static const char *const texts[] = {
        "",
        "[guest]\n",
        "not a key file",
        STATUS("0", "7", "state=1\n"),
        STATUS("1", "0", "state=1\n"),
        STATUS("1", "-3", "state=1\n"),
        STATUS("1", "7", "state=-1\n"),
        STATUS("1", "7", "state=99\n"),
        "[guest]\nversion=1\nid=7\npid=1\nstart-time=99\nstate=1\n",
        "[guest]\nversion=1\nid=7\npid=4711\nstate=1\n",
    };

    for (guint i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        GuestStatus status = { .id = 5 };

        g_assert_false(parse(texts[i], &status, &error));
        g_assert_nonnull(error);
        g_assert_cmpint(status.id, ==, 5);
    }
}

static void
test_record(void)
{
    g_auto(GuestRecord) record = { 0 }, none = { 0 };

    g_assert_true(guest_parse_record("stopped crashed it fell over\n", &record));
    g_assert_cmpstr(record.state, ==, "stopped");
    g_assert_cmpstr(record.reason, ==, "crashed");
    g_assert_cmpstr(record.text, ==, "it fell over");
    g_assert_false(guest_parse_record("", &none));
    g_assert_false(guest_parse_record("stopped\n", &none));
    g_assert_false(guest_parse_record("stopped \xff\xfe bytes", &none));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-files/status", test_status);
    g_test_add_func("/guest-files/older-and-newer", test_older_and_newer);
    g_test_add_func("/guest-files/damaged", test_damaged);
    g_test_add_func("/guest-files/record", test_record);
    return g_test_run();
}
