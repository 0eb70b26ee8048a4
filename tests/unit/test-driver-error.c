/* Every prefix is libvirt's own: the installed library is asked. */
#include "driver/error.h"

#include <dlfcn.h>
#include <errno.h>
#include <libvirt/libvirt.h>

/* Not in libvirt's public headers, but in the library. NULL for a number that it does not know. */
typedef const char *(*VirErrorMsg)(virErrorNumber code, const char *info);

static VirErrorMsg
libvirt_error_msg(void)
{
    void *library = dlopen("libvirt.so.0", RTLD_NOW);

    return library ? (VirErrorMsg)dlsym(library, "virErrorMsg") : NULL;
}

static void
assert_message(virErrorNumber code, const char *detail, const char *expected)
{
    g_autoptr(GError) error = NULL;

    if (detail)
        g_assert_false(driver_error(&error, code, "%s", detail));
    else
        g_assert_false(driver_error(&error, code, NULL));
    g_assert_error(error, DRIVER_ERROR, (int)code);
    g_assert_cmpstr(error->message, ==, expected);
}

/* What virReportError() makes of a format of the table. */
static char *
fill_in(const char *format, const char *detail)
{
    g_auto(GStrv) parts = g_strsplit(format, "%s", 2);

    g_assert_nonnull(parts[1]);
    return g_strconcat(parts[0], detail, parts[1], NULL);
}

static gboolean
is_known(virErrorNumber code)
{
    g_autoptr(GError) error = NULL;

    driver_error(&error, code, NULL);
    return g_strcmp0(error->message, "unknown error") != 0;
}

static void
test_prefixes(void)
{
    VirErrorMsg error_msg = libvirt_error_msg();
    guint n = 0;

    if (!error_msg) {
        g_test_skip("the installed libvirt does not say");
        return;
    }
    for (int code = 1; code < 200; code++) {
        g_autofree char *detailed = NULL;

        if (!is_known(code))
            continue;
        detailed = fill_in(error_msg(code, "detail"), "detail");
        assert_message(code, NULL, error_msg(code, NULL));
        assert_message(code, "detail", detailed);
        n++;
    }
    g_assert_cmpuint(n, >=, 40);
}

static void
test_unknown_code(void)
{
    assert_message(9999, NULL, "unknown error");
    assert_message(9999, "what happened", "what happened");
}

static void
test_errno(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(driver_error_errno(&error, ENOENT, "cannot open '%s'", "/x"));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_SYSTEM_ERROR);
    g_assert_cmpstr(error->message, ==, "cannot open '/x': No such file or directory");
    g_assert_false(driver_error_errno(NULL, ENOENT, "nobody asks"));
}

/* The detail is text, whatever stands in it. */
static void
test_percent(void)
{
    assert_message(VIR_ERR_NO_DOMAIN, "100%s", "Domain not found: 100%s");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/prefixes", test_prefixes);
    g_test_add_func("/error/unknown-code", test_unknown_code);
    g_test_add_func("/error/errno", test_errno);
    g_test_add_func("/error/percent", test_percent);
    return g_test_run();
}
