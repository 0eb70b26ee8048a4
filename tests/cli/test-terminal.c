/* vmctl on a terminal: the console, which is left with Ctrl-], and the shell. However a console ends, the
 * terminal has to be as it was. */
#include "tests/cli/vmctl.h"

#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))

static char *
define_and_start(Fixture *fixture, const char *name)
{
    char *path = fixture_define(fixture, name, "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    return path;
}

/* Until a byte has gone to the guest and back, so that everything stands. */
static void
talk(Terminal *terminal)
{
    terminal_type(terminal, "hello\r");
    terminal_expect(terminal, "HELLO");
    g_assert_true(terminal_is_raw(terminal));
}

static void
assert_ends_well(Terminal *terminal)
{
    int status = terminal_wait(terminal);

    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    g_assert_false(terminal_is_raw(terminal));
}

static void
test_leave(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_and_start(fixture, "web");
    g_autoptr(Terminal) terminal = terminal_new(fixture, "console", "web", NULL);

    terminal_expect(terminal, "Connected to domain 'web'\r\n");
    terminal_expect(terminal, "Escape character is ^] (Ctrl + ])\r\n");
    talk(terminal);
    terminal_type(terminal, "not sent?\x1d"
                            "nor this");
    assert_ends_well(terminal);
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
}

/* With another escape character, Ctrl-] is the guest's. */
static void
test_other_escape(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_and_start(fixture, "web");
    g_autoptr(Terminal) terminal = terminal_new(fixture, "-e", "^a", "console", "web", NULL);

    terminal_expect(terminal, "Escape character is ^A (Ctrl + A)\r\n");
    terminal_type(terminal, "\x1d");
    talk(terminal);
    terminal_type(terminal, "\x01");
    assert_ends_well(terminal);
}

/* The first word that the guest says is seen, and it has begun only then. */
static void
test_start(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autoptr(Terminal) terminal = terminal_new(fixture, "start", "web", "--console", NULL);

    terminal_expect(terminal, "Domain 'web' started\r\nConnected to domain 'web'\r\n");
    terminal_expect(terminal, "Escape character is ^] (Ctrl + ])\r\nfake guest here");
    talk(terminal);
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_RUNNING);
    terminal_type(terminal, "\x1d");
    assert_ends_well(terminal);
}

static void
test_start_paused(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autoptr(Terminal) terminal =
        terminal_new(fixture, "start", "web", "--console", "--paused", NULL);

    terminal_expect(terminal, "Escape character is ^] (Ctrl + ])\r\n");
    g_assert_cmpint(fixture_state(fixture, path), ==, VIR_DOMAIN_PAUSED);
    fixture_do(fixture, path, "Resume", NULL);
    talk(terminal);
    terminal_type(terminal, "\x1d");
    assert_ends_well(terminal);
}

static void
test_create(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *file = document_file(fixture, "web", "");
    g_autoptr(Terminal) terminal = terminal_new(fixture, "create", file, "--console", NULL);

    terminal_expect(terminal, "Domain 'web' created from ");
    talk(terminal);
    terminal_type(terminal, "\x1d");
    assert_ends_well(terminal);
}

static void
test_guest_ends(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_and_start(fixture, "web");
    g_autoptr(Terminal) terminal = terminal_new(fixture, "console", "web", NULL);

    talk(terminal);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    assert_ends_well(terminal);
}

static void
test_second_session(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_and_start(fixture, "web");
    g_autoptr(Terminal) first = terminal_new(fixture, "console", "web", NULL);
    g_autoptr(Terminal) second = NULL;

    talk(first);
    vmctl_fails(fixture, "error: operation failed: Active console session exists for this domain\n",
                "console", "web");
    second = terminal_new(fixture, "console", "web", "--force", NULL);
    assert_ends_well(first);
    talk(second);
    terminal_type(second, "\x1d");
    assert_ends_well(second);
}

static void
assert_killed(int signal_number)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_and_start(fixture, "web");
    g_autoptr(Terminal) terminal = terminal_new(fixture, "console", "web", NULL);
    int status;

    talk(terminal);
    kill(terminal->pid, signal_number);
    status = terminal_wait(terminal);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, signal_number);
    g_assert_false(terminal_is_raw(terminal));
}

static void
test_signals(void)
{
    static const int signals[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGABRT };

    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        assert_killed(signals[i]);
}

static void
test_stop(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = define_and_start(fixture, "web");
    g_autoptr(Terminal) terminal = terminal_new(fixture, "console", "web", NULL);

    talk(terminal);
    kill(terminal->pid, SIGTSTP);
    g_assert_true(WIFSTOPPED(terminal_wait(terminal)));
    g_assert_false(terminal_is_raw(terminal));
    kill(terminal->pid, SIGCONT);
    talk(terminal);
    terminal_type(terminal, "\x1d");
    assert_ends_well(terminal);
}

static void
test_shell(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autoptr(Terminal) terminal = terminal_new(fixture, NULL);

    terminal_expect(terminal, "Welcome to vmctl");
    terminal_expect(terminal, "vmctl # ");
    terminal_type(terminal, "start web --console\r");
    terminal_expect(terminal, "fake guest here");
    talk(terminal);
    terminal_type(terminal, "\x1d");
    terminal_expect(terminal, "vmctl # ");
    terminal_type(terminal, "domstate web; frob\r");
    terminal_expect(terminal, "unknown command: 'frob'");
    terminal_expect(terminal, "vmctl # ");
    terminal_type(terminal, "domstate web\r");
    terminal_expect(terminal, "running");
    terminal_expect(terminal, "vmctl # ");
    terminal_type(terminal, "quit\r");
    assert_ends_well(terminal);
}

/* An editor that gives the domain a title, and while it runs somebody else does. */
static Terminal *
edit_with(Fixture *fixture, const char *program)
{
    g_autofree char *path = g_build_filename(fixture->dir, "editor", NULL);
    g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", program);

    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
    g_setenv("VISUAL", path, TRUE);
    return terminal_new(fixture, "edit", "web", NULL);
}

static char *
title_of(Fixture *fixture, const char *path)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, VIR_DOMAIN_XML_INACTIVE);
    g_auto(GStrv) parts = g_strsplit_set(strstr(xml, "<title>"), "<>", 4);

    return g_strdup(parts[2]);
}

#define TITLED "sed -i 's,</uuid>,&<title>mine</title>,' \"$1\""

static gboolean
has_begun(Fixture *fixture, gconstpointer file)
{
    return g_file_test(file, G_FILE_TEST_EXISTS);
}

/* What somebody else has changed meanwhile is written over only by who says so. */
static void
test_edit_conflict(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autofree char *begun = g_build_filename(fixture->dir, "begun", NULL);
    g_autofree char *go = g_build_filename(fixture->dir, "go", NULL);
    g_autofree char *title = NULL;
    g_autoptr(Terminal) terminal = NULL;

    terminal = edit_with(
        fixture, TITLED "\ncd \"$(dirname \"$0\")\"; >begun; until [ -e go ]; do sleep 0.05; done");
    fixture_wait(fixture, has_begun, begun);
    fixture_do(fixture, path, "SetMetadata",
               g_variant_new("(isssu)", VIR_DOMAIN_METADATA_TITLE, "theirs", "", "", 0));
    g_assert_true(g_file_set_contents(go, "", 0, NULL));
    terminal_expect(terminal, "was changed by another user");
    terminal_expect(terminal, "Failed. Try again? [y,n,i,f,?]: ");
    terminal_type(terminal, "?\r");
    terminal_expect(terminal, "i - turn off validation");
    terminal_type(terminal, "f\r");
    terminal_expect(terminal, "Domain 'web' XML configuration edited.");
    assert_ends_well(terminal);
    title = title_of(fixture, path);
    g_assert_cmpstr(title, ==, "mine");
}

/* What the schema does not know can be defined all the same. */
static void
test_edit_relaxed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autofree char *title = NULL;
    g_autoptr(Terminal) terminal =
        edit_with(fixture, "sed -i 's,</uuid>,&<title>mine</title><unheard-of/>,' \"$1\"");

    terminal_expect(terminal, "Failed. Try again? [y,n,i,f,?]: ");
    terminal_type(terminal, "f\r");
    terminal_expect(terminal, "Failed. Try again? [y,n,i,f,?]: ");
    terminal_type(terminal, "i\r");
    terminal_expect(terminal, "Domain 'web' XML configuration edited.");
    assert_ends_well(terminal);
    title = title_of(fixture, path);
    g_assert_cmpstr(title, ==, "mine");
}

/* A start that takes its time says so, and what comes of it has the line for itself. */
static void
test_patience(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "fake=hang");
    g_autoptr(Terminal) terminal = terminal_new(fixture, "start", "web", NULL);

    terminal_expect(terminal, "start: 1 s");
    terminal_expect(terminal, "\rstart: 2 s");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    terminal_expect(terminal, "\r          \rerror: ");
    terminal_wait(terminal);
}

static void
expect_hint(Fixture *fixture, const char *hint, const char *command, const char *word)
{
    g_autoptr(Terminal) terminal = terminal_new(fixture, command, word, NULL);

    terminal_expect(terminal, "error: ");
    terminal_expect(terminal, hint);
    terminal_wait(terminal);
}

/* A person is told what helps; a script reads virsh's words alone. */
static void
test_hints(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "web", "");
    g_autoptr(Terminal) quiet = NULL;

    expect_hint(fixture, "\r\nhint: vmctl start web\r\n", "reset", "web");
    expect_hint(fixture, "\r\nhint: vmctl list --all\r\n", "start", "nobody");
    expect_hint(fixture, "\r\nhint: vmctl help\r\n", "frob", "web");
    fixture_do(fixture, path, "Create", FLAGS(0));
    expect_hint(fixture, "\r\nhint: vmctl console web\r\n", "start", "web");
    vmctl_fails(fixture, "error: Domain is already active\n", "start", "web");
    quiet = terminal_new(fixture, "-q", "start", "web", NULL);
    terminal_wait(quiet);
    g_assert_null(strstr(quiet->screen->str, "hint"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_unsetenv("LANGUAGE");
    g_test_add_func("/vmctl/terminal/edit-conflict", test_edit_conflict);
    g_test_add_func("/vmctl/terminal/edit-relaxed", test_edit_relaxed);
    g_test_add_func("/vmctl/terminal/leave", test_leave);
    g_test_add_func("/vmctl/terminal/other-escape", test_other_escape);
    g_test_add_func("/vmctl/terminal/start", test_start);
    g_test_add_func("/vmctl/terminal/start-paused", test_start_paused);
    g_test_add_func("/vmctl/terminal/create", test_create);
    g_test_add_func("/vmctl/terminal/guest-ends", test_guest_ends);
    g_test_add_func("/vmctl/terminal/second-session", test_second_session);
    g_test_add_func("/vmctl/terminal/signals", test_signals);
    g_test_add_func("/vmctl/terminal/stop", test_stop);
    g_test_add_func("/vmctl/terminal/shell", test_shell);
    g_test_add_func("/vmctl/terminal/hints", test_hints);
    g_test_add_func("/vmctl/terminal/patience", test_patience);
    return g_test_run();
}
