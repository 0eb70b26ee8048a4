/* vmctld.conf: what it says, what it leaves, and what is wrong in it. */
#include "daemon/config.h"

#include <glib/gstdio.h>

static char *dir;

static char *
file_of(const char *text)
{
    char *path = g_build_filename(dir, "vmctld.conf", NULL);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    return path;
}

static void
load(Config *config, const char *text)
{
    g_autofree char *path = file_of(text);
    g_autoptr(GError) error = NULL;

    config_load(config, path, &error);
    g_assert_no_error(error);
}

static void
assert_text(const Config *config, const char *wanted)
{
    g_autofree char *text = config_text(config);

    g_assert_cmpstr(text, ==, wanted);
}

static void
test_defaults(void)
{
    Config config;

    config_init(&config, TRUE);
    assert_text(&config, "[vmctld]\naccess=polkit\nautostart=boot\nlog-level=notice\non-stop=stop\n");
    config_init(&config, FALSE);
    assert_text(&config, "[vmctld]\naccess=none\nautostart=boot\nlog-level=notice\non-stop=stop\n");
    load(&config, "");
    load(&config, "# nothing\n[vmctld]\n");
    assert_text(&config, "[vmctld]\naccess=none\nautostart=boot\nlog-level=notice\non-stop=stop\n");
}

static void
test_set(void)
{
    Config config;

    config_init(&config, TRUE);
    load(&config, "[vmctld]\n# a remark\nautostart = never \nlog-level=debug\n");
    assert_text(&config, "[vmctld]\naccess=polkit\nautostart=never\nlog-level=debug\non-stop=stop\n");
    g_assert_cmpint(config.autostart, ==, CONFIG_AUTOSTART_NEVER);
    g_assert_cmpint(config.log_level, ==, CONFIG_LOG_DEBUG);
    load(&config, "[vmctld]\naccess=none\non-stop=suspend\n");
    g_assert_cmpint(config.on_stop, ==, CONFIG_ON_STOP_SUSPEND);
    g_assert_cmpint(config.access, ==, CONFIG_ACCESS_NONE);
    g_assert_cmpint(config.autostart, ==, CONFIG_AUTOSTART_NEVER);
}

static void
test_unknown(void)
{
    Config config;

    config_init(&config, TRUE);
    g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "*vmctld.conf: the key 'autostrat' is not known*");
    g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "*vmctld.conf: the group ?libvirtd? is not known*");
    load(&config, "[vmctld]\nautostrat=never\naccess=none\n[libvirtd]\nautostart=never\n");
    g_test_assert_expected_messages();
    assert_text(&config, "[vmctld]\naccess=none\nautostart=boot\nlog-level=notice\non-stop=stop\n");
}

static void
assert_wrong(const char *text, const char *wanted)
{
    g_autofree char *path = file_of(text);
    g_autofree char *pattern = g_strconcat("*", wanted, "*", NULL);
    g_autoptr(GError) error = NULL;
    Config config;

    config_init(&config, TRUE);
    g_assert_false(config_load(&config, path, &error));
    if (!g_pattern_match_simple(pattern, error->message))
        g_error("'%s' is not like '%s'", error->message, pattern);
    assert_text(&config, "[vmctld]\naccess=polkit\nautostart=boot\nlog-level=notice\non-stop=stop\n");
}

static void
test_wrong(void)
{
    assert_wrong("[vmctld]\nlog-level=debug\nautostart=yes\n",
                 "vmctld.conf: 'yes' is no value of 'autostart', which is one of: boot, always, never");
    assert_wrong("[vmctld]\naccess=\n", "'' is no value of 'access'");
    assert_wrong("access=none\n", "vmctld.conf: ");
    assert_wrong("[vmctld]\nnonsense\n", "vmctld.conf: ");
}

static void
test_absent(void)
{
    g_autofree char *path = g_build_filename(dir, "none", NULL);
    g_autoptr(GError) error = NULL;
    Config config;

    config_init(&config, TRUE);
    g_assert_false(config_load(&config, path, &error));
    g_assert_error(error, G_FILE_ERROR, G_FILE_ERROR_NOENT);
}

int
main(int argc, char **argv)
{
    g_autofree char *file = NULL;
    int status;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("vmctl-config-XXXXXX", NULL);
    g_test_add_func("/config/defaults", test_defaults);
    g_test_add_func("/config/set", test_set);
    g_test_add_func("/config/unknown", test_unknown);
    g_test_add_func("/config/wrong", test_wrong);
    g_test_add_func("/config/absent", test_absent);
    status = g_test_run();
    file = g_build_filename(dir, "vmctld.conf", NULL);
    g_unlink(file);
    g_rmdir(dir);
    g_free(dir);
    return status;
}
