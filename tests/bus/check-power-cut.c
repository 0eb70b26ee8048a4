/* The power goes right after an answer: what was acknowledged is on the disk.
 *
 * The daemon's definitions are on an ext4 of their own, in a file, which writes nothing by itself for minutes. After each
 * answer the file is copied; the copy is what a power cut would leave, and is mounted and looked at. Takes root, and
 * loop devices: check-power-cut.sh finds a place that has them. CUTS (60) is how often.
 */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define CUTS        60
#define DISK_MIB    8
#define NEVER_S     300 /* until ext4 would write what nobody asked it to */
#define UUID_FORMAT "c0700000-0000-4000-8000-%012x"

static void
run(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void
run(const char *format, ...)
{
    g_autofree char *command = NULL;
    g_autoptr(GError) error = NULL;
    va_list args;
    int status;

    va_start(args, format);
    command = g_strdup_vprintf(format, args);
    va_end(args);
    g_spawn_command_line_sync(command, NULL, NULL, &status, &error);
    g_assert_no_error(error);
    if (status != 0)
        g_error("'%s' failed", command);
}

/* The title of the definition that the next start would find; NULL: none. */
static char *
title_after_cut(Fixture *fixture, const char *uuid)
{
    g_autofree char *file =
        g_strdup_printf("%s/after/vmctl/domains/%s.xml", fixture->dir, uuid);
    g_autofree char *text = NULL;
    g_auto(GStrv) parts = NULL, rest = NULL;
    char *title = NULL;

    run("cp %s/disk %s/copy", fixture->dir, fixture->dir);
    run("mount -o loop %s/copy %s/after", fixture->dir, fixture->dir);
    if (g_file_get_contents(file, &text, NULL, NULL)) {
        parts = g_strsplit(text, "<title>", 2);
        g_assert_nonnull(parts[1]);
        rest = g_strsplit(parts[1], "</title>", 2);
        g_assert_nonnull(rest[1]);
        title = g_strdup(rest[0]);
    }
    run("umount %s/after", fixture->dir);
    return title;
}

static void
define(Fixture *fixture, guint i, const char *uuid, const char *title)
{
    g_autofree char *name = g_strdup_printf("cut-%u", i);
    g_autofree char *plain = fixture_xml(fixture, name, uuid, "");
    g_auto(GStrv) parts = g_strsplit(plain, "</uuid>", 2);
    g_autofree char *xml =
        g_strconcat(parts[0], "</uuid><title>", title, "</title>", parts[1], NULL);

    g_variant_unref(fixture_call(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                 g_variant_new("(s)", xml), "(o)"));
}

static void
undefine(Fixture *fixture, const char *uuid)
{
    g_autofree char *node = g_strdelimit(g_strdup(uuid), "-", '_');
    g_autofree char *path = g_strconcat(ROOT_PATH "/domain/_", node, NULL);

    fixture_do(fixture, path, "Undefine", g_variant_new("(u)", 0));
}

/* One of the three changes, in turn; TRUE where the disk says what the answer said. */
static gboolean
cut(Fixture *fixture, guint i)
{
    g_autofree char *uuid = g_strdup_printf(UUID_FORMAT, i / 3);
    g_autofree char *title = NULL;
    static const char *const wanted[] = { "first", "second", NULL, NULL };
    const char *want = wanted[i % 3];

    if (want)
        define(fixture, i / 3, uuid, want);
    else
        undefine(fixture, uuid);
    title = title_after_cut(fixture, uuid);
    if (g_strcmp0(title, want) != 0)
        g_test_message("change %u: '%s' on the disk, not '%s'", i, title ? title : "nothing",
                       want ? want : "nothing");
    return g_strcmp0(title, want) == 0;
}

static Fixture *
fixture_on_disk(void)
{
    Fixture *fixture = fixture_new_bare();

    run("truncate -s %dM %s/disk", DISK_MIB, fixture->dir);
    run("mkfs.ext4 -q %s/disk", fixture->dir);
    run("mkdir %s/after", fixture->dir);
    run("mount -o loop,commit=%d %s/disk %s/config", NEVER_S, fixture->dir, fixture->dir);
    fixture_start_daemon(fixture);
    return fixture;
}

static void
test_power_cut(void)
{
    Fixture *fixture = fixture_on_disk();
    const char *text = g_getenv("CUTS");
    guint cuts = text ? strtoul(text, NULL, 10) : CUTS, lost = 0;

    for (guint i = 0; i < cuts; i++)
        lost += !cut(fixture, i);
    g_test_message("%u of %u acknowledged changes lost", lost, cuts);
    fixture_end_daemon(fixture, SIGTERM);
    run("umount %s/config", fixture->dir);
    fixture_free(fixture);
    g_assert_cmpuint(lost, ==, 0);
}

static guint
count_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = 0;

    while (g_dir_read_name(dir))
        n++;
    return n;
}

/* A disk that is full: the definition that does not fit is refused, everything that was there stays, nothing is left over,
 * and when there is room again all goes on. */
static void
test_full(void)
{
    Fixture *fixture = fixture_new_bare();
    g_autofree char *domains = g_build_filename(fixture->dir, "config", "vmctl", "domains", NULL);
    guint n = 0;
    g_autoptr(GError) error = NULL;

    run("mount -t tmpfs -o size=64k tmpfs %s/config", fixture->dir);
    fixture_start_daemon(fixture);
    while (!error) {
        g_autofree char *name = g_strdup_printf("full-%u", n);
        g_autofree char *xml = fixture_xml(fixture, name, NULL, "");
        g_autoptr(GVariant) reply = fixture_try(fixture, ROOT_PATH, CONNECT, "DomainDefineXML",
                                                g_variant_new("(s)", xml), NULL, &error);
        n += reply != NULL;
        g_assert_cmpuint(n, <, 100);
    }
    g_assert_nonnull(strstr(error->message, "No space left on device"));
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    g_assert_cmpuint(count_files(domains), ==, n);
    run("mount -o remount,size=1m %s/config", fixture->dir);
    define(fixture, n, "c0700000-0000-4000-8000-ffffffffffff", "fits");
    fixture_end_daemon(fixture, SIGTERM);
    run("umount %s/config", fixture->dir);
    fixture_free(fixture);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/power-cut", test_power_cut);
    g_test_add_func("/disk-full", test_full);
    return g_test_run();
}
