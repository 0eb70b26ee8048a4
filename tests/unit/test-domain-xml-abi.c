/* Which changes of a document a saved guest takes, and which it would notice. */
#include "driver/domain-xml-abi.h"
#include "driver/domain-xml.h"
#include "driver/error.h"

#include <string.h>

#define DOCUMENT                                                                                   \
    "<domain type='kvm'><name>saved</name><uuid>6695eb01-f6a4-8304-79aa-97f2502e193f</uuid>"       \
    "<memory>65536</memory><vcpu>2</vcpu><os><type arch='x86_64'>hvm</type>"                       \
    "<kernel>/boot/kernel</kernel><cmdline>quiet</cmdline></os><features><acpi/></features>"       \
    "<on_crash>destroy</on_crash><devices>"                                                        \
    "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none'/>"                \
    "<source file='/one.img'/><target dev='vda' bus='virtio'/><serial>first</serial></disk>"       \
    "<disk type='file' device='disk'><source file='/two.img'/><target dev='vdb' bus='virtio'/>"    \
    "</disk><interface type='bridge'><mac address='52:54:00:11:22:33'/><source bridge='br0'/>"     \
    "<model type='virtio'/></interface><serial type='pty'/></devices></domain>"

static DomainDef *
parse_edited(const char *old, const char *new)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(DOCUMENT);
    DomainDef *def;

    if (old)
        g_assert_cmpuint(g_string_replace(text, old, new, 1), ==, 1);
    def = domain_xml_parse(text->str, &error);
    g_assert_no_error(error);
    return def;
}

static void
test_unseen(void)
{
    static const char *const edits[][2] = {
        { "saved", "renamed" },
        { "/boot/kernel", "/boot/moved" },
        { "<memory>", "<title>t</title><description>d</description><memory>" },
        { "<on_crash>destroy", "<on_crash>preserve" },
        { "/one.img", "/elsewhere/one.img" },
        { "cache='none'", "cache='writeback'" },
        { "bridge='br0'", "bridge='br7'" },
        { "<serial type='pty'/>", "<serial type='file'><source path='/log'/></serial>" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autoptr(DomainDef) from = parse_edited(NULL, NULL);
        g_autoptr(DomainDef) to = parse_edited(edits[i][0], edits[i][1]);
        g_autoptr(GError) error = NULL;

        domain_xml_carry_over(from, to, &error);
        g_assert_no_error(error);
    }
}

static void
test_seen(void)
{
    static const char *const edits[][3] = {
        { "6695eb01", "7795eb01",
          "domain uuid 7795eb01-f6a4-8304-79aa-97f2502e193f does not match "
          "source 6695eb01-f6a4-8304-79aa-97f2502e193f" },
        { "65536", "32768", "domain max memory 32768 does not match source 65536" },
        { "<vcpu>2", "<vcpu>3", "domain vCPU max 3 does not match source 2" },
        { "<features><acpi/></features>", "", "features" },
        { "<disk type='file' device='disk'><source file='/two.img'/><target dev='vdb' "
          "bus='virtio'/></disk>",
          "", "domain disk count 1 does not match source 2" },
        { "first", "second", "domain devices/disk/serial second does not match source first" },
        { "11:22:33", "11:22:34",
          "domain devices/interface/mac/@address 52:54:00:11:22:34 does not "
          "match source 52:54:00:11:22:33" },
        { "<target dev='vda' bus='virtio'/>",
          "<target dev='vda' bus='virtio'/><address type='pci' domain='0' bus='0' slot='9' "
          "function='0'/>",
          "controller count" }, /* the root port that it was behind */
        { "<serial type='pty'/>", "<serial type='pty'><target port='1'/></serial>", "port" },
        { "<vcpu>",
          "<cpu mode='host-passthrough'><feature name='avx' policy='disable'/></cpu><vcpu>",
          "cpu" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autoptr(DomainDef) from = parse_edited(NULL, NULL);
        g_autoptr(DomainDef) to = parse_edited(edits[i][0], edits[i][1]);
        g_autoptr(GError) error = NULL;

        if (domain_xml_carry_over(from, to, &error))
            g_error("'%s' instead of '%s' was not noticed", edits[i][1], edits[i][0]);
        g_assert_error(error, DRIVER_ERROR, VIR_ERR_CONFIG_UNSUPPORTED);
        g_assert_true(
            g_str_has_prefix(error->message, "unsupported configuration: Target domain "));
        if (!strstr(error->message, edits[i][2]))
            g_error("'%s' is not in: %s", edits[i][2], error->message);
    }
}

/* A device that came later keeps its name though the one before it is gone. */
static void
test_aliases(void)
{
    g_autoptr(DomainDef) from = parse_edited(NULL, NULL);
    g_autoptr(DomainDef) to = parse_edited("saved", "renamed");
    g_autofree char *xml = NULL;
    const char *at;

    for (guint i = 0; i < from->devices->len; i++) {
        Device *dev = g_ptr_array_index(from->devices, i);

        dev->alias = g_strdup_printf("later%u", i);
    }
    g_assert_true(domain_xml_carry_over(from, to, NULL));
    domain_def_assign_aliases(to);
    xml = domain_xml_format(to, 1, DOMAIN_FORMAT_LIVE);
    g_assert_nonnull(strstr(xml, "<name>renamed</name>"));
    at = strstr(xml, "<disk");
    g_assert_nonnull(strstr(at, "<alias name='later0'/>"));
    g_assert_null(strstr(xml, "virtio-disk0"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-xml-abi/unseen", test_unseen);
    g_test_add_func("/domain-xml-abi/seen", test_seen);
    g_test_add_func("/domain-xml-abi/aliases", test_aliases);
    return g_test_run();
}
