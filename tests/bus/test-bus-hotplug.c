/* Devices that come, go and change: in a running guest, in its definition, and in both. */
#include "tests/bus/fixture.h"

#include <glib/gstdio.h>
#include <libvirt/libvirt.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FLAGS(n)       g_variant_new("(u)", (guint)(n))
#define CHANGE(xml, n) g_variant_new("(su)", xml, (guint)(n))
#define LIVE           VIR_DOMAIN_AFFECT_LIVE
#define CONFIG         VIR_DOMAIN_AFFECT_CONFIG

#define RNG  "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>"
#define MAC  "<mac address='52:54:00:00:00:01'/>"
#define CARD "<interface type='user'>" MAC "</interface>"

static char *
make_image(Fixture *fixture, const char *name)
{
    g_autofree char *zeros = g_malloc0(65536);
    char *path = g_build_filename(fixture->dir, name, NULL);

    g_assert_true(g_file_set_contents(path, zeros, 65536, NULL));
    return path;
}

static char *
disk_xml(const char *device, const char *image, const char *target)
{
    g_autofree char *source = image ? g_strdup_printf("<source file='%s'/>", image) : g_strdup("");

    return g_strdup_printf("<disk type='file' device='%s'>%s<target dev='%s'/></disk>", device,
                           source, target);
}

static gboolean
has(Fixture *fixture, const char *path, guint flags, const char *text)
{
    g_autofree char *xml = fixture_xml_of(fixture, path, flags);

    return strstr(xml, text) != NULL;
}

static void
change(Fixture *fixture, const char *path, const char *member, const char *xml, guint flags)
{
    fixture_do(fixture, path, member, CHANGE(xml, flags));
}

static void
change_fails(Fixture *fixture, const char *path, const char *member, const char *xml, guint flags,
             const char *text)
{
    fixture_call_fails(fixture, path, DOMAIN, member, CHANGE(xml, flags), NULL, text);
}

static void
test_live(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "live", "");
    g_autofree char *image = make_image(fixture, "image");
    g_autofree char *disk = disk_xml("disk", image, "vdb");
    guint n_descriptors;

    change_fails(fixture, path, "AttachDevice", RNG, LIVE,
                 "Requested operation is not valid: domain is not running");
    fixture_do(fixture, path, "Create", FLAGS(0));
    change(fixture, path, "AttachDevice", disk, 0);
    fixture_wait_signal(fixture, "DeviceAdded ('virtio-disk1',)");
    g_assert_true(has(fixture, path, 0,
                      "<alias name='virtio-disk1'/>\n      <address type='pci' "
                      "domain='0x0000' bus='0x02' slot='0x00'"));
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<disk"));
    change_fails(fixture, path, "AttachDevice", RNG, LIVE,
                 "internal error: No more available PCI slots");
    change(fixture, path, "DetachDevice", "<disk><target dev='vdb'/></disk>", LIVE);
    fixture_wait_signal(fixture, "DeviceRemoved ('virtio-disk1',)");
    g_assert_false(has(fixture, path, 0, "<disk"));
    n_descriptors = fixture_count_descriptors(fixture);
    /* Its place and its image are free again. */
    change(fixture, path, "AttachDevice", RNG, LIVE);
    fixture_wait_signal(fixture, "DeviceAdded ('rng0',)");
    fixture_do(fixture, path, "Suspend", NULL);
    change(fixture, path, "DetachDevice", RNG, 0);
    fixture_wait_signal(fixture, "DeviceRemoved ('rng0',)");
    g_assert_cmpuint(fixture_count_descriptors(fixture), ==, n_descriptors);
}

#define AT(bus, slot, function)                                                                                     \
    "<address type='pci' domain='0' bus='" bus "' slot='" slot "' function='" function "' multifunction='on'/>"
#define RNG_AT(bus, slot, function)                                                                                 \
    "<rng model='virtio'><backend model='random'>/dev/urandom</backend>" AT(bus, slot, function) "</rng>"

/* Devices that a guest cannot give up by themselves. */
static void
test_place(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path =
        fixture_define_with(fixture, "place", "", RNG_AT("1", "0", "0") RNG_AT("1", "0", "1") RNG_AT("0", "9", "0"));

    fixture_do(fixture, path, "Create", FLAGS(0));
    change_fails(fixture, path, "DetachDevice", RNG_AT("1", "0", "1"), LIVE,
                 "operation failed: cannot hot unplug rng device with multifunction PCI guest address: 0000:01:00.1");
    change_fails(fixture, path, "DetachDevice", RNG_AT("0", "9", "0"), LIVE,
                 "operation failed: cannot hot unplug rng device with PCI guest address: 0000:00:09.0 - not allowed by "
                 "controller");
    g_assert_true(has(fixture, path, 0, "bus='0x01' slot='0x00' function='0x1'"));
    change(fixture, path, "DetachDevice", RNG_AT("0", "9", "0"), CONFIG);
}

static void
test_config(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "config", "");
    g_autofree char *disk = disk_xml("disk", "/nowhere/image", "vdb");

    change(fixture, path, "AttachDevice", disk, 0);
    g_assert_true(has(fixture, path, 0, "<source file='/nowhere/image'/>"));
    change_fails(fixture, path, "AttachDevice", disk, CONFIG,
                 "Requested operation is not valid: target vdb already exists");
    change(fixture, path, "AttachDevice", RNG, CONFIG);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    g_assert_true(has(fixture, path, 0, "<rng model='virtio'>"));
    change(fixture, path, "DetachDevice", disk, CONFIG);
    change_fails(fixture, path, "DetachDevice", disk, CONFIG,
                 "device not found: no target device vdb");
    change(fixture, path, "DetachDevice", RNG, CONFIG);
    change_fails(fixture, path, "DetachDevice", RNG, CONFIG,
                 "device not found: no matching RNG device was found");
    g_assert_false(has(fixture, path, 0, "<rng"));
}

/* Both at once: what fails in the guest is not in the definition either. */
static void
test_both(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "both", "");
    g_autofree char *missing = disk_xml("disk", "/nowhere/image", "vdb");

    fixture_do(fixture, path, "Create", FLAGS(0));
    change_fails(fixture, path, "AttachDevice", missing, LIVE | CONFIG, "*Cannot open*");
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<disk"));
    g_assert_false(has(fixture, path, 0, "<disk"));
    change(fixture, path, "AttachDevice", CARD, LIVE | CONFIG);
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<interface type='user'>"));
    g_assert_true(has(fixture, path, 0, "<alias name='net0'/>"));
    change(fixture, path, "DetachDevice", CARD, LIVE | CONFIG);
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<interface"));
    g_assert_false(has(fixture, path, 0, "<interface"));
}

static void
test_link(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define_with(fixture, "card", "", CARD);

    fixture_do(fixture, path, "Create", FLAGS(0));
    change(fixture, path, "UpdateDevice",
           "<interface type='user'>" MAC "<link state='down'/></interface>", LIVE);
    g_assert_true(has(fixture, path, 0, "<link state='down'/>"));
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<link"));
    change_fails(fixture, path, "UpdateDevice",
                 "<interface type='user'>" MAC "<mtu size='9000'/></interface>", LIVE,
                 "Operation not supported: cannot modify network device mtu size");
    change_fails(fixture, path, "UpdateDevice",
                 "<interface type='user'><mac address='52:54:00:00:00:02'/></interface>", LIVE,
                 "device not found: no device matching MAC address 52:54:00:00:00:02 found");
    change(fixture, path, "UpdateDevice",
           "<interface type='user'>" MAC "<mtu size='9000'/></interface>", CONFIG);
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "<mtu size='9000'/>"));
    g_assert_false(has(fixture, path, 0, "<mtu"));
}

static void
test_medium(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *empty = disk_xml("cdrom", NULL, "sda");
    g_autofree char *path = fixture_define_with(fixture, "medium", "", empty);
    g_autofree char *first = make_image(fixture, "first");
    g_autofree char *second = make_image(fixture, "second");
    g_autofree char *one = disk_xml("cdrom", first, "sda");
    g_autofree char *other = disk_xml("cdrom", second, "sda");
    g_autofree char *gone = disk_xml("cdrom", "/nowhere/cd", "sda");

    fixture_do(fixture, path, "Create", FLAGS(0));
    change(fixture, path, "UpdateDevice", one, LIVE | CONFIG);
    fixture_wait_signal(fixture, "TrayChange ('virtio-disk0', 1) ");
    g_assert_true(has(fixture, path, 0, first));
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, first));
    change(fixture, path, "AttachDevice", other, LIVE); /* means the same */
    fixture_wait_signal(fixture, "TrayChange ('virtio-disk0', 0) TrayChange ('virtio-disk0', 1) ");
    g_assert_true(has(fixture, path, 0, second));
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, first));
    change_fails(fixture, path, "UpdateDevice", gone, LIVE, "*Cannot open '/nowhere/cd'*");
    g_assert_true(has(fixture, path, 0, second));
    change(fixture, path, "UpdateDevice", empty, LIVE);
    fixture_wait_signal(fixture, "TrayChange ('virtio-disk0', 0) ");
    g_assert_false(has(fixture, path, 0, second));
}

static char *
tray_xml(const char *image, const char *tray)
{
    return g_strdup_printf("<disk type='file' device='cdrom'><source file='%s'/>"
                           "<target dev='sda' tray='%s'/></disk>",
                           image, tray);
}

/* The word for the tray tells how it is; in a guest that runs nobody opens it by saying so. */
static void
test_tray(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *first = make_image(fixture, "first");
    g_autofree char *second = make_image(fixture, "second");
    g_autofree char *closed = tray_xml(first, "closed"), *open = tray_xml(first, "open");
    g_autofree char *other_open = tray_xml(second, "open");
    g_autofree char *path = fixture_define_with(fixture, "tray", "", closed);
    const char *refusal = "Operation not supported: cannot modify field 'tray' of the disk";

    fixture_do(fixture, path, "Create", FLAGS(0));
    change_fails(fixture, path, "UpdateDevice", open, LIVE, refusal);
    change_fails(fixture, path, "UpdateDevice", other_open, LIVE, refusal);
    g_assert_true(has(fixture, path, 0, first));
    change(fixture, path, "UpdateDevice", closed, LIVE); /* nothing new */
    change(fixture, path, "UpdateDevice", open, CONFIG);
    g_assert_true(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, "tray='open'"));
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    fixture_do(fixture, path, "Create", FLAGS(0));
    g_assert_true(has(fixture, path, 0, "tray='open'"));
    change(fixture, path, "UpdateDevice", closed, LIVE); /* the same medium: the tray stays as it is */
    g_assert_true(has(fixture, path, 0, "tray='open'"));
    change(fixture, path, "UpdateDevice", other_open, LIVE); /* another one closes it */
    fixture_wait_signal(fixture, "TrayChange ('virtio-disk0', 1) ");
    g_assert_true(has(fixture, path, 0, second));
    g_assert_false(has(fixture, path, 0, "tray='open'"));
}

/* A device that is written down survives the daemon, and goes with the guest. */
static void
test_restart(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "again", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    change(fixture, path, "AttachDevice", RNG, LIVE);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    g_assert_true(has(fixture, path, 0, "<alias name='rng0'/>"));
    change_fails(fixture, path, "AttachDevice", RNG, LIVE, "*No more available PCI slots");
    change(fixture, path, "DetachDevice", RNG, LIVE);
    fixture_wait_signal(fixture, "DeviceRemoved ('rng0',)");
    change(fixture, path, "AttachDevice", RNG, LIVE);
    fixture_do(fixture, path, "Destroy", FLAGS(0));
    g_assert_false(has(fixture, path, 0, "<rng"));
}

/* A file of the guest whose directory is that of the daemon's own notes. */
static char *
note_of(Fixture *fixture, const char *path, const char *name)
{
    g_autoptr(GVariant) uuid = fixture_get(fixture, path, DOMAIN, "UUID");

    return g_build_filename(fixture->dir, "run", "vmctl", "guests",
                            g_variant_get_string(uuid, NULL), name, NULL);
}

/* In the way of the daemon, which cannot write the live definition then. */
static char *
obstruct(Fixture *fixture, const char *path)
{
    char *obstacle = note_of(fixture, path, "live.xml.new");

    g_assert_no_errno(g_mkdir(obstacle, 0700));
    return obstacle;
}

/* The guest gets no device that a restarted daemon would know nothing of. */
static void
test_unwritten_attach(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *image = make_image(fixture, "image");
    g_autofree char *disk = disk_xml("disk", image, "vdb");
    g_autofree char *drive = disk_xml("cdrom", NULL, "sda");
    g_autofree char *medium = disk_xml("cdrom", image, "sda");
    g_autofree char *path = fixture_define_with(fixture, "unwritten", "", drive);
    g_autofree char *obstacle = NULL;
    guint n_descriptors;

    fixture_do(fixture, path, "Create", FLAGS(0));
    n_descriptors = fixture_count_descriptors(fixture);
    obstacle = obstruct(fixture, path);
    change_fails(fixture, path, "AttachDevice", disk, LIVE | CONFIG, "*cannot write '*live.xml'*");
    change_fails(fixture, path, "UpdateDevice", medium, LIVE, "*cannot write '*live.xml'*");
    g_assert_false(has(fixture, path, 0, image));
    g_assert_false(has(fixture, path, VIR_DOMAIN_XML_INACTIVE, image));
    fixture_expect_descriptors(fixture, n_descriptors);
    g_assert_no_errno(g_rmdir(obstacle));
    change(fixture, path, "AttachDevice", disk, LIVE);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    g_assert_true(has(fixture, path, 0, image));
}

static gboolean
is_written_without_rng(Fixture *fixture, gconstpointer file)
{
    g_autofree char *xml = NULL;

    return g_file_get_contents(file, &xml, NULL, NULL) && !strstr(xml, "<rng");
}

/* What the guest has let go of is written down as soon as that is possible. */
static void
test_unwritten_detach(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "unwritten", "");
    g_autofree char *obstacle = NULL, *live = NULL;

    fixture_do(fixture, path, "Create", FLAGS(0));
    change(fixture, path, "AttachDevice", RNG, LIVE);
    live = note_of(fixture, path, "live.xml");
    obstacle = obstruct(fixture, path);
    change(fixture, path, "DetachDevice", RNG, LIVE);
    g_assert_false(has(fixture, path, 0, "<rng"));
    g_assert_false(is_written_without_rng(fixture, live));
    g_assert_no_errno(g_rmdir(obstacle));
    fixture_wait(fixture, is_written_without_rng, live);
    fixture_end_daemon(fixture, SIGKILL);
    fixture_start_daemon(fixture);
    g_assert_false(has(fixture, path, 0, "<rng"));
}

/* A guest that keeps what it has: the call says that it was asked, once at a time. */
static void
test_kept(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "kept", "fake=keep-devices");

    fixture_do(fixture, path, "Create", FLAGS(0));
    change(fixture, path, "AttachDevice", RNG, LIVE);
    g_variant_unref(
        fixture_call(fixture, path, VMCTL_DOMAIN, "DetachDeviceAlias", CHANGE("rng0", LIVE), "()"));
    g_assert_true(has(fixture, path, 0, "<alias name='rng0'/>"));
    change_fails(fixture, path, "DetachDevice", RNG, LIVE,
                 "operation failed: Device rng0 is already in the process of unplug");
    fixture_do(fixture, path, "Destroy", FLAGS(0));
}

static void
test_alias(void)
{
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "alias", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    change(fixture, path, "AttachDevice", RNG, LIVE);
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "DetachDeviceAlias", CHANGE("rng7", LIVE), NULL,
                       "device not found: no device found with alias rng7");
    fixture_call_fails(fixture, path, VMCTL_DOMAIN, "DetachDeviceAlias", CHANGE("serial0", LIVE),
                       NULL, "Operation not supported: live detach of device 'serial' is not*");
    g_variant_unref(
        fixture_call(fixture, path, VMCTL_DOMAIN, "DetachDeviceAlias", CHANGE("rng0", LIVE), "()"));
    fixture_wait_signal(fixture, "DeviceRemoved ('rng0',)");
}

static void
test_refused(void)
{
    static const struct {
        const char *member, *xml, *text;
    } cases[] = {
        { "AttachDevice", "<memballoon model='virtio'/>",
          "Operation not supported: live attach of device 'memballoon' is not supported" },
        { "AttachDevice", "<foo/>", "XML error: unknown device type 'foo'" },
        { "AttachDevice", "<disk", "(device_definition):1: *" },
        { "AttachDevice", "<tpm/>", "unsupported configuration: element <tpm> of <devices> is *" },
        { "AttachDevice", "<disk type='dir'><target dev='vdb'/></disk>",
          "unsupported configuration: value 'dir' of attribute 'type' of <disk> is not*" },
        { "DetachDevice", "<disk><target dev='vdq'/></disk>",
          "device not found: disk vdq not found" },
        { "DetachDevice", "<serial type='pty'/>",
          "Operation not supported: live detach of device 'serial' is not supported" },
        { "UpdateDevice", RNG,
          "Operation not supported: live update of device 'rng' is not supported" },
    };
    g_autoptr(Fixture) fixture = fixture_new();
    g_autofree char *path = fixture_define(fixture, "firm", "");

    fixture_do(fixture, path, "Create", FLAGS(0));
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        change_fails(fixture, path, cases[i].member, cases[i].xml, 0, cases[i].text);
}

static void
call_network(unsigned long code, const void *argument)
{
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_assert_no_errno(ioctl(sock, code, argument));
    close(sock);
}

/* Only what is a port of a bridge can leave it. */
static void
assert_port(const char *name, const char *bridge)
{
    struct ifreq request = { .ifr_ifindex = (int)if_nametoindex(name) };

    g_strlcpy(request.ifr_name, bridge, IFNAMSIZ);
    call_network(SIOCBRDELIF, &request);
    call_network(SIOCBRADDIF, &request);
}

#define ON(bridge) "<interface type='bridge'>" MAC "<source bridge='" bridge "'/></interface>"

/* A guest is on the network that its document names, whatever was refused. In a network of the test's own, which is the
 * program's from then on. */
static void
test_bridge(void)
{
    g_autoptr(Fixture) fixture = NULL;
    g_autofree char *path = NULL, *obstacle = NULL;

    if (access("/dev/net/tun", R_OK | W_OK) < 0 || unshare(CLONE_NEWNET) < 0) {
        g_test_skip("no rights to make a network of its own");
        return;
    }
    call_network(SIOCBRADDBR, "br0");
    call_network(SIOCBRADDBR, "br1");
    fixture = fixture_new();
    path = fixture_define_with(fixture, "moves", "", ON("br0"));
    fixture_do(fixture, path, "Create", FLAGS(0));
    assert_port("vnet0", "br0");
    obstacle = obstruct(fixture, path);
    change_fails(fixture, path, "UpdateDevice", ON("br1"), LIVE, "*cannot write '*live.xml'*");
    g_assert_true(has(fixture, path, 0, "<source bridge='br0'/>"));
    assert_port("vnet0", "br0");
    g_assert_no_errno(g_rmdir(obstacle));
    change(fixture, path, "UpdateDevice", ON("br1"), LIVE);
    g_assert_true(has(fixture, path, 0, "<source bridge='br1'/>"));
    assert_port("vnet0", "br1");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    fixture_use_fake_passt();
    g_test_add_func("/bus/hotplug/live", test_live);
    g_test_add_func("/bus/hotplug/place", test_place);
    g_test_add_func("/bus/hotplug/config", test_config);
    g_test_add_func("/bus/hotplug/both", test_both);
    g_test_add_func("/bus/hotplug/link", test_link);
    g_test_add_func("/bus/hotplug/medium", test_medium);
    g_test_add_func("/bus/hotplug/tray", test_tray);
    g_test_add_func("/bus/hotplug/restart", test_restart);
    g_test_add_func("/bus/hotplug/unwritten-attach", test_unwritten_attach);
    g_test_add_func("/bus/hotplug/unwritten-detach", test_unwritten_detach);
    g_test_add_func("/bus/hotplug/kept", test_kept);
    g_test_add_func("/bus/hotplug/alias", test_alias);
    g_test_add_func("/bus/hotplug/refused", test_refused);
    g_test_add_func("/bus/hotplug/bridge", test_bridge);
    return g_test_run();
}
