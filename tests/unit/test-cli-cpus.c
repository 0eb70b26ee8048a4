/* The descriptions of CPUs that a file has. */
#include "cli/cpus.h"
#include "cli/output.h"

#include <glib/gstdio.h>

static char *
write_file(const char *text)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    int fd = g_file_open_tmp("cpus-XXXXXX", &path, &error);

    g_assert_no_error(error);
    g_close(fd, NULL);
    g_file_set_contents(path, text, -1, &error);
    g_assert_no_error(error);
    return path;
}

static char **
read_text(const char *text, GError **error)
{
    g_autofree char *path = write_file(text);
    char **cpus = cpus_read(path, error);

    g_unlink(path);
    return cpus;
}

static void
assert_found(const char *text, const char *const *wanted)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) cpus = read_text(text, &error);

    g_assert_no_error(error);
    g_assert_cmpstrv(cpus, wanted);
}

static void
test_found(void)
{
    assert_found("<cpu/>", (const char *const[]){ "<cpu/>", NULL });
    assert_found("<?xml version='1.0'?><cpu a='>'><b/></cpu>\n<x><cpu/></x><cpu></cpu>",
                 (const char *const[]){ "<cpu a='>'><b/></cpu>", "<cpu></cpu>", NULL });
    assert_found("<domain><cpu><cpu/></cpu><devices><cpu/></devices></domain>",
                 (const char *const[]){ "<cpu><cpu/></cpu>", NULL });
    assert_found("<capabilities><host><cpu>1</cpu></host><guest><cpu>2</cpu></guest></capabilities>",
                 (const char *const[]){ "<cpu>1</cpu>", NULL });
    assert_found("<domainCapabilities><cpu><mode name='host-model' supported='yes'>"
                 "<model>a</model></mode></cpu></domainCapabilities>",
                 (const char *const[]){ "<cpu><model>a</model></cpu>", NULL });
    assert_found("<domainCapabilities><cpu><mode supported='yes' name='host-model'/>"
                 "</cpu></domainCapabilities><cpu/>",
                 (const char *const[]){ "<cpu/>", "<cpu/>", NULL });
}

static void
test_refused(void)
{
    static const char *const none[] = {
        "", "text", "<foo/>", "<!-- <cpu/> -->",
        "<domainCapabilities><cpu><mode name='host-model' supported='no'/></cpu></domainCapabilities>",
        "<domainCapabilities><cpu><mode name='custom' supported='yes'/></cpu></domainCapabilities>",
    };
    static const char *const malformed[] = { "<cpu>", "<cpu/></cpu>", "<cpu></file>", "<cpu a/>" };

    for (gsize i = 0; i < G_N_ELEMENTS(none); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(read_text(none[i], &error));
        g_assert_nonnull(g_strrstr(error->message, "does not contain any <cpu> element"));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(malformed); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(read_text(malformed[i], &error));
        g_assert_error(error, CLI_ERROR, CLI_ERROR_FAILED);
        g_assert_null(g_strrstr(error->message, "does not contain"));
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-cpus/found", test_found);
    g_test_add_func("/cli-cpus/refused", test_refused);
    return g_test_run();
}
