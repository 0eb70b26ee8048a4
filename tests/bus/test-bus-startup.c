/* Disks whose images are missing when their guest starts, and what <source startupPolicy> makes of that. */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define FLAGS(n) g_variant_new("(u)", (guint)(n))
#define INACTIVE VIR_DOMAIN_XML_INACTIVE

static char *
disk_xml(const char *device, const char *image, const char *policy)
{
    return g_strdup_printf("<disk type='file' device='%s'><source file='%s' startupPolicy='%s'/>"
                           "<target dev='vda' bus='virtio'/></disk>",
                           device, image, policy);
}

/* A domain with the disk; @ret_image is its file, which is there where @made. */
static char *
define(Fixture *fixture, const char *device, const char *policy, gboolean made, char **ret_image)
{
    g_autofree char *xml = NULL;

    *ret_image = g_build_filename(fixture->dir, "image", NULL);
    xml = disk_xml(device, *ret_image, policy);
    if (made)
        g_assert_true(g_file_set_contents(*ret_image, "an image of some bytes", -1, NULL));
    return fixture_define_with(fixture, "guest", "", xml);
}

static gboolean
has(Fixture *fixture, const char *path, guint flags, const char *text)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);

    return strstr(xml, text) != NULL;
}

static void
expect_change(Fixture *fixture, const char *image, int reason)
{
    g_autofree char *signal = g_strdup_printf("DiskChange ('%s', '', 'virtio-disk0', %d)", image, reason);

    fixture_wait_signal(fixture, signal);
}

/* The drive is empty, and its definition as it was. */
static void
test_optional(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = NULL;
    g_autofree char *path = define(fixture, "cdrom", "optional", FALSE, &image);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_expect_events(fixture, "4,0 2,0");
    expect_change(fixture, image, VIR_DOMAIN_EVENT_DISK_CHANGE_MISSING_ON_START);
    g_assert_true(has(fixture, path, 0, "<source startupPolicy='optional'/>"));
    g_assert_true(has(fixture, path, INACTIVE, image));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_true(g_file_set_contents(image, "an image of some bytes", -1, NULL));
    fixture_do(fixture, path, "Create", FLAGS(0));
    g_assert_true(has(fixture, path, 0, image));
    g_assert_null(strstr(fixture->signals->str, "DiskChange"));
}

/* A disk is left out, in this run of the guest. */
static void
test_dropped(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = NULL;
    g_autofree char *path = define(fixture, "disk", "optional", FALSE, &image);

    fixture_do(fixture, path, "Create", FLAGS(0));
    expect_change(fixture, image, VIR_DOMAIN_EVENT_DISK_DROP_MISSING_ON_START);
    g_assert_false(has(fixture, path, 0, "<disk"));
    g_assert_true(has(fixture, path, INACTIVE, image));
}

static void
assert_no_start(const char *policy)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = NULL;
    g_autofree char *path = define(fixture, "cdrom", policy, FALSE, &image);
    g_autofree char *text = g_strdup_printf("*Cannot open '%s', the source of disk 'vda'*", image);

    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL, text);
    g_assert_null(strstr(fixture->signals->str, "DiskChange"));
}

static void
test_mandatory(void)
{
    assert_no_start("mandatory");
    assert_no_start("requisite");
}

/* Only what was there at first may be missing later. */
static void
test_restored(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = NULL;
    g_autofree char *path = define(fixture, "cdrom", "requisite", TRUE, &image);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "ManagedSave", FLAGS(0));
    g_unlink(image);
    fixture_do(fixture, path, "Create", FLAGS(0));
    expect_change(fixture, image, VIR_DOMAIN_EVENT_DISK_CHANGE_MISSING_ON_START);
    fixture_assert_state(fixture, path, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED);
    g_assert_true(has(fixture, path, 0, "<source startupPolicy='requisite'/>"));
}

/* A guest that goes on from a file had its disk, and cannot do without it. */
static void
test_disk_restored(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = NULL;
    g_autofree char *path = define(fixture, "disk", "optional", TRUE, &image);
    g_autofree char *text = g_strdup_printf("*Cannot open '%s', the source of disk 'vda'*", image);

    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "ManagedSave", FLAGS(0));
    g_unlink(image);
    fixture_call_fails(fixture, path, DOMAIN, "Create", FLAGS(0), NULL, text);
}

/* While it runs it is a word like others; what is attached has to be there. */
static void
test_update(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = NULL, *other = NULL;
    g_autofree char *path = define(fixture, "cdrom", "mandatory", TRUE, &image);
    g_autofree char *gone = disk_xml("cdrom", "/nowhere/cd", "optional");

    other = disk_xml("cdrom", image, "optional");
    fixture_do(fixture, path, "Create", FLAGS(0));
    fixture_do(fixture, path, "UpdateDevice", g_variant_new("(su)", other, VIR_DOMAIN_AFFECT_LIVE));
    g_assert_true(has(fixture, path, 0, "startupPolicy='optional'"));
    g_assert_true(has(fixture, path, INACTIVE, "startupPolicy='mandatory'"));
    fixture_call_fails(fixture, path, DOMAIN, "UpdateDevice",
                       g_variant_new("(su)", gone, VIR_DOMAIN_AFFECT_LIVE), NULL, "*Cannot open '/nowhere/cd'*");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bus/startup/optional", test_optional);
    g_test_add_func("/bus/startup/dropped", test_dropped);
    g_test_add_func("/bus/startup/mandatory", test_mandatory);
    g_test_add_func("/bus/startup/restored", test_restored);
    g_test_add_func("/bus/startup/disk-restored", test_disk_restored);
    g_test_add_func("/bus/startup/update", test_update);
    return g_test_run();
}
