/* vmctl's commands that save and restore, with fake guests. */
#include "tests/cli/vmctl.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>

#define DONE "\n\n"

static void
start(Fixture *fixture, const char *cmdline)
{
    g_autofree char *file = document_file(fixture, "web", cmdline);

    vmctl_says(fixture, "", "-q", "define", file);
    vmctl_says(fixture, "", "-q", "start", "web");
}

static char *
image_path(Fixture *fixture)
{
    return g_build_filename(fixture->dir, "image", NULL);
}

static void
test_save(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = image_path(fixture);
    g_autofree char *saved = g_strdup_printf("\nDomain 'web' saved to %s" DONE, image);
    g_autofree char *restored = g_strdup_printf("Domain restored from %s" DONE, image);
    g_autoptr(Said) progress = NULL;

    start(fixture, "");
    vmctl_says(fixture, saved, "save", "web", image);
    vmctl_says(fixture, "shut off (saved)" DONE, "domstate", "web", "--reason");
    vmctl_says(fixture, restored, "restore", image);
    vmctl_says(fixture, "running (restored)" DONE, "domstate", "web", "--reason");
    progress = vmctl(fixture, "", "save", "web", image, "--verbose", NULL);
    g_assert_cmpstr(progress->err, ==, "\rSave: [100 %]");
    g_assert_cmpstr(progress->out, ==, saved);
    vmctl_says(fixture, restored, "restore", image, "--paused");
    vmctl_says(fixture, "paused (migrating)" DONE, "domstate", "web", "--reason");
}

static void
test_managed(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autoptr(Said) info = NULL;

    start(fixture, "");
    vmctl_says(fixture, "\nDomain 'web' state saved by libvirt" DONE, "managedsave", "web");
    vmctl_says(fixture, " Id   Name   State\n--------------------\n -    web    saved" DONE, "list",
               "--all", "--managed-save");
    vmctl_says(fixture, "web" DONE, "list", "--all", "--name", "--with-managed-save");
    info = vmctl(fixture, "", "dominfo", "web", NULL);
    g_assert_nonnull(strstr(info->out, "Managed save:   yes\n"));
    vmctl_fails(fixture, "error: Refusing to undefine while domain managed save image exists\n",
                "undefine", "web");
    vmctl_says(fixture, "Domain 'web' started" DONE, "start", "web");
    vmctl_says(fixture, "running (restored)" DONE, "domstate", "web", "--reason");
    vmctl_says(fixture, "", "-q", "managedsave", "web");
    vmctl_says(fixture, "Removed managedsave image for domain 'web'\n", "managedsave-remove",
               "web");
    vmctl_says(fixture, "Domain 'web' has no manage save image; removal skipped\n",
               "managedsave-remove", "web");
    vmctl_says(fixture, "", "-q", "start", "web");
    vmctl_says(fixture, "", "-q", "managedsave", "web");
    vmctl_says(fixture, "", "-q", "start", "web", "--force-boot");
    vmctl_says(fixture, "running (booted)" DONE, "domstate", "web", "--reason");
}

/* A guest of flesh and blood cannot be dumped yet. What virsh's loop of events often does not survive is not compared. */
static void
test_dump(void)
{
    g_autoptr(Fixture) fixture = fixture_new();

    start(fixture, "");
    vmctl_fails(fixture, "error: --format only works with --memory-only\n", "dump", "web", "/x",
                "--format", "elf");
    vmctl_fails(fixture,
                "error: format 'foo' is not supported, expecting 'kdump-zlib', 'kdump-lzo', "
                "'kdump-snappy', 'win-dmp' or 'elf'\n",
                "dump", "web", "/x", "--memory-only", "--format", "foo");
    vmctl_fails(fixture,
                "error: Failed to core dump domain 'web' to /x\n"
                "error: this function is not supported by the connection driver: "
                "virDomainCoreDumpWithFormat\n",
                "dump", "web", "/x", "--memory-only", "--format", "kdump-zlib");
}

/* The editor is a command that changes one word. */
static void
test_documents(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = image_path(fixture);
    g_autofree char *edited = g_strdup_printf("State file %s edited." DONE, image);
    g_autofree char *same =
        g_strdup_printf("Saved image %s XML configuration not changed." DONE, image);
    g_autoptr(Said) dumped = NULL, managed = NULL, refused = NULL;

    start(fixture, "");
    vmctl_says(fixture, "", "-q", "save", "web", image);
    g_setenv("VISUAL", "sed -i 's,</uuid>,</uuid><title>Edited</title>,'", TRUE);
    vmctl_says(fixture, edited, "save-image-edit", image);
    g_setenv("VISUAL", "true", TRUE);
    vmctl_says(fixture, same, "save-image-edit", image, "--paused");
    dumped = vmctl(fixture, "", "save-image-dumpxml", image, NULL);
    g_assert_nonnull(strstr(dumped->out, "<title>Edited</title>"));
    g_setenv("VISUAL", "sed -i s/65536/32768/", TRUE);
    refused = vmctl(fixture, "", "save-image-edit", image, NULL);
    g_assert_cmpint(refused->status, ==, 1);
    g_assert_nonnull(strstr(refused->err, "Target domain max memory 32768 does not match"));
    vmctl_says(fixture, "", "-q", "restore", image);
    vmctl_says(fixture, "", "-q", "managedsave", "web");
    g_setenv("VISUAL", "sed -i s/Edited/Again/", TRUE);
    vmctl_says(fixture, "Managed save image of Domain 'web' XML configuration edited." DONE,
               "managedsave-edit", "web");
    managed = vmctl(fixture, "", "managedsave-dumpxml", "web", NULL);
    g_assert_nonnull(strstr(managed->out, "<title>Again</title>"));
    g_unsetenv("VISUAL");
}

static void
test_job_info(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = image_path(fixture);
    g_autoptr(Said) said = NULL;

    start(fixture, "");
    vmctl_says(fixture, "Job type:         None        " DONE, "domjobinfo", "web");
    vmctl_fails(fixture,
                "error: Requested operation is not valid: no job is active on the domain\n",
                "domjobabort", "web");
    vmctl_says(fixture, "", "-q", "save", "web", image);
    said = vmctl(fixture, "", "domjobinfo", "web", "--completed", NULL);
    g_assert_true(g_str_has_prefix(said->out, "Job type:         Completed   \n"
                                              "Operation:        Save        \n"
                                              "Time elapsed:     "));
    g_assert_nonnull(strstr(said->out, "\nMemory remaining: 0.000 B\n"
                                       "Memory total:     64.000 MiB\n"
                                       "Page size:        4096         bytes\n"));
    vmctl_fails(fixture, "error: Requested operation is not valid: domain is not running\n",
                "domjobinfo", "web");
}

/* Progress on a terminal, and Ctrl-C. */
static void
test_interrupted(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = image_path(fixture);
    g_autoptr(Terminal) terminal = NULL;
    int status;

    start(fixture, "fake=save-hangs");
    terminal = terminal_new(fixture, "save", "web", image, NULL); /* unasked, too */
    terminal_expect(terminal, "Save: [ 25 %]");
    terminal_type(terminal, "\3");
    terminal_expect(terminal, "\r\nerror: Failed to save domain 'web' to ");
    terminal_wait(terminal);
    g_clear_pointer(&terminal, terminal_free);
    terminal = terminal_new(fixture, "save", "web", image, "--verbose", NULL);
    terminal_expect(terminal, "Save: [ 25 %]");
    terminal_type(terminal, "\3");
    terminal_expect(terminal, "error: Failed to save domain 'web' to ");
    terminal_expect(terminal, "operation aborted: job 'domain save' canceled by client");
    status = terminal_wait(terminal);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    vmctl_says(fixture, "running (save canceled)" DONE, "domstate", "web", "--reason");
    g_assert_false(g_file_test(image, G_FILE_TEST_EXISTS));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    g_unsetenv("LANGUAGE");
    g_test_add_func("/vmctl/save/save", test_save);
    g_test_add_func("/vmctl/save/managed", test_managed);
    g_test_add_func("/vmctl/save/dump", test_dump);
    g_test_add_func("/vmctl/save/documents", test_documents);
    g_test_add_func("/vmctl/save/job-info", test_job_info);
    g_test_add_func("/vmctl/save/interrupted", test_interrupted);
    return g_test_run();
}
