/* What a person does with vmctl on a terminal, beside the console: top, run, and the shell's history and completion. */
#include "tests/cli/vmctl.h"

#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/wait.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

static void
assert_ends(Terminal *terminal, int expected)
{
    int status = terminal_wait(terminal);

    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, expected);
    g_assert_false(terminal_is_raw(terminal));
}

static void
start(Fixture *fixture, const char *name)
{
    g_autofree char *path = fixture_define(fixture, name, "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
}

/* top */

/* For a pipe: a table for each look, of those that run. */
static void
test_top_batch(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *other = fixture_define(fixture, "idle", "");
    g_autoptr(Said) said = NULL;
    g_auto(GStrv) titles = NULL, rows = NULL;

    start(fixture, "web");
    said = vmctl(fixture, "", "top", "-b", "-n", "2", "-d", "20", NULL);
    g_assert_cmpstr(said->err, ==, "");
    g_assert_cmpint(said->status, ==, 0);
    titles = g_strsplit(said->out, "Name", -1);
    rows = g_strsplit(said->out, "web", -1);
    g_assert_cmpuint(g_strv_length(titles), ==, 3);
    g_assert_cmpuint(g_strv_length(rows), ==, 3);
    g_assert_null(strstr(said->out, "idle"));
    vmctl_fails(fixture, "error: --delay and --count are numbers above zero\n", "top", "-d", "0");
}

/* A screen that is drawn again and again, until "q". */
static void
test_top_screen(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(Terminal) terminal = NULL;

    start(fixture, "web");
    terminal = terminal_new(fixture, "top", "-d", "50", NULL);
    terminal_expect(terminal, "vmctl top: 1 guests run");
    terminal_expect(terminal, "web");
    g_assert_true(terminal_is_raw(terminal));
    start(fixture, "second");
    terminal_expect(terminal, "vmctl top: 2 guests run");
    terminal_expect(terminal, "second");
    terminal_type(terminal, "q");
    assert_ends(terminal, 0);
}

/* run */

/* The first bytes by which a kernel is known. */
static char *
kernel_file(Fixture *fixture)
{
    char *path = g_build_filename(fixture->dir, "elf", NULL);
    g_autofree char *bytes = g_malloc0(1024);

    memcpy(bytes, "\177ELF", 4);
    g_assert_true(g_file_set_contents(path, bytes, 1024, NULL));
    return path;
}

static void
assert_no_domains(Fixture *fixture)
{
    vmctl_says(fixture, "", "-q", "list", "--all");
}

/* Its console is here; who leaves it leaves nothing behind. */
static void
test_run(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *kernel = kernel_file(fixture);
    g_autoptr(Terminal) terminal =
        terminal_new(fixture, "run", kernel, "--name", "once", "-m", "64", NULL);
    g_autoptr(Said) said = NULL;

    terminal_expect(terminal, "fake guest here");
    terminal_type(terminal, "hello\r");
    terminal_expect(terminal, "HELLO");
    said = vmctl(fixture, "", "-q", "list", "--transient", "--name", NULL);
    g_assert_cmpstr(said->out, ==, "once\n");
    terminal_type(terminal, "\x1d");
    assert_ends(terminal, 0);
    assert_no_domains(fixture);
}

/* A guest that crashes has failed, and is gone as well. */
static void
test_run_crashed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *kernel = kernel_file(fixture);
    g_autoptr(Said) said = vmctl(fixture, "", "-q", "run", kernel, "--cmdline", "fake=crash", NULL);

    g_assert_nonnull(strstr(said->err, "error: the guest has crashed\n"));
    g_assert_cmpint(said->status, ==, 1);
    assert_no_domains(fixture);
}

static void
test_run_refused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = g_build_filename(fixture->dir, "disk.img", NULL);
    g_autofree char *about_initrd = g_strdup_printf(
        "error: '%s' is a disk image: --initrd and --cmdline go with a kernel\n", image);

    g_assert_true(g_file_set_contents(image, "no kernel", -1, NULL));
    vmctl_fails(fixture, about_initrd, "run", image, "--initrd", image);
    vmctl_fails(fixture, "error: unknown network 'frob': it is user, none or bridge=NAME\n", "run",
                image, "--network", "frob");
    vmctl_fails(fixture, "error: Failed to open file '/nonexistent': No such file or directory\n",
                "run", "/nonexistent");
    assert_no_domains(fixture);
}

/* The shell */

static Terminal *
open_shell(Fixture *fixture)
{
    Terminal *terminal = terminal_new(fixture, NULL);

    terminal_expect(terminal, "vmctl # ");
    return terminal;
}

static void
leave_shell(Terminal *terminal)
{
    terminal_expect(terminal, "vmctl # ");
    terminal_type(terminal, "quit\r");
    assert_ends(terminal, 0);
}

/* The key "up" brings back what was typed in a shell before. */
static void
test_history(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = g_build_filename(fixture->dir, "vmctl", "history", NULL);
    g_autoptr(Terminal) first = open_shell(fixture), second = NULL;
    g_autofree char *kept = NULL;

    terminal_type(first, "echo one word\r");
    terminal_expect(first, "\none word");
    leave_shell(first);
    g_assert_true(g_file_get_contents(path, &kept, NULL, NULL));
    g_assert_nonnull(strstr(kept, "echo"));
    second = open_shell(fixture);
    terminal_type(second, "\x10"   /* up, to quit */
                          "\x10"); /* and to the command before it */
    terminal_type(second, "s\r");
    terminal_expect(second, "\none words");
    leave_shell(second);
}

/* VMCTL_HISTSIZE bounds it; nonsense is complained of and changes nothing. */
static void
test_history_size(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = g_build_filename(fixture->dir, "vmctl", "history", NULL);
    g_autoptr(Terminal) shell = NULL, wrong = NULL;
    g_autofree char *kept = NULL;

    g_setenv("VMCTL_HISTSIZE", "2", TRUE);
    shell = open_shell(fixture);
    terminal_type(shell, "echo one\recho two\recho three\r");
    terminal_expect(shell, "\nthree");
    leave_shell(shell);
    g_assert_true(g_file_get_contents(path, &kept, NULL, NULL));
    g_assert_null(strstr(kept, "one"));
    g_assert_nonnull(strstr(kept, "three"));
    g_setenv("VMCTL_HISTSIZE", "many", TRUE);
    wrong = terminal_new(fixture, NULL);
    terminal_expect(wrong, "error: Bad $VMCTL_HISTSIZE value.");
    leave_shell(wrong);
    g_unsetenv("VMCTL_HISTSIZE");
}

/* Tab goes on with a command, an option and the name of a domain, which is asked for where the shell is connected. */
static void
test_completion(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "worker", "");
    g_autoptr(Terminal) terminal = open_shell(fixture);

    terminal_type(terminal, "doms\t");
    terminal_expect(terminal, "domstat");
    terminal_type(terminal, "e work\x15"); /* there are two that begin so; another line instead */
    terminal_type(terminal, "hostna\t\r");
    terminal_expect(terminal, "hostname ");
    terminal_expect(terminal, "vmctl # ");
    terminal_type(terminal, "domstate wor\t --rea\t\r");
    terminal_expect(terminal, "domstate worker");
    terminal_expect(terminal, "shut off (unknown)");
    leave_shell(terminal);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_test_add_func("/vmctl/top/batch", test_top_batch);
    g_test_add_func("/vmctl/top/screen", test_top_screen);
    g_test_add_func("/vmctl/run", test_run);
    g_test_add_func("/vmctl/run/crashed", test_run_crashed);
    g_test_add_func("/vmctl/run/refused", test_run_refused);
    g_test_add_func("/vmctl/shell/history", test_history);
    g_test_add_func("/vmctl/shell/history-size", test_history_size);
    g_test_add_func("/vmctl/shell/completion", test_completion);
    return g_test_run();
}
