/* The golden documents side by side with the installed libvirt's own parser, through its test driver
 * (what `virsh -c test:///default define` does): the same errors with the same numbers, and the same
 * normal form. Where this driver differs, a table below says why. The texts are those of libvirt 9.0:
 * with another one there is nothing to compare. */
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "tests/unit/xml-fixture.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <string.h>

/* What libvirt says something else about, or nothing. Refusals that begin as below need no entry. */
static const struct Difference {
    const char *name, *reason;
} differences[] = {
    { "bad-doctype", "libvirt expands entities; no document type declaration is read here" },
    { "bad-external-entity", "likewise" },
    { "bad-empty", "libvirt shows \"(null)\" for the line that is not there" },
    { "bad-comment",
      "refused before libxml2 copies the comment into its text, once for each pair" },
    { "bad-encoding", "the encoding is refused before libxml2 can name it" },
    { "encoding-latin1", "virDomainDefineXML() takes UTF-8 alone" },
    { "bad-utf8",
      "libvirt's text carries the broken byte along, which no D-Bus client could read" },
    { "bad-name-dots", "libvirt would make a file of that name" },
    { "bad-name-long", "a limit of the driver's, as qemu's has one, in the length of file names" },
    { "bad-name-twice", "libvirt drops the second one" },
    { "bad-devices-twice", "what is said twice is refused rather than looked for in two places" },
    { "bad-vcpu-negative", "libvirt 9.0 wraps around, asks for 32 GiB and ends the process" },
    { "bad-vcpu-zero", "libvirt 9.0 speaks of NUMA there" },
    { "bad-serial-alias-twice", "libvirt finds that when the guest starts" },
    { "bad-bios-word", "libvirt takes any word but yes for no" },
    { "firmware-autobios", "libvirt's test driver chooses no firmware" },
    { "firmware-efi", "likewise" },
    { "firmware-efi-chosen", "likewise" },
    { "firmware-efi-features", "likewise" },
    { "firmware-efi-nvram", "likewise" },
    { "interface", "the test driver gives out names such as testnet0, in a definition too" },
    { "everything", "likewise" },
    { "interface-bandwidth", "likewise" },
    { "interface-bandwidth-network", "likewise" },
    { "interface-boot", "likewise" },
    { "interface-network", "likewise" },
    { "boot-order-firmware", "likewise" },
    { "interface-given-out", "likewise" },
    { "interface-model", "likewise, and there libvirt's other models are the first choice" },
    { "interface-user", "libvirt 9.0 knows no <backend> of a type" },
    { "bad-interface-passt", "likewise" },
    { "interface-accepted",
      "likewise, and what only asks for what is so anyway is not written back" },
    { "console-virtio",
      "libvirt counts consoles before it adds the first one, and anew next time" },
    { "virt-install-linux", "what the machine lacks is kept as it was written" },
    { "virt-install-bridge", "likewise" },
    { "virt-install-cloud-init", "likewise" },
    { "virt-manager", "likewise" },
    { "cdrom-drive", "what is on another bus becomes a virtio disk here" },
    { "cdrom", "what is on another bus becomes a virtio disk here" },
    { "panic", "only libvirt's driver for QEMU says which model a PC has" },
    { "panic-pvpanic", "libvirt knows this model since 9.1" },
    { "pci-multifunction", "likewise" },
    { "pci-multifunction-off", "likewise" },
    { "bad-panic-pvpanic-isa", "likewise" },
    { "vsock", "only libvirt's driver for QEMU says which model a PC has" },
    { "bad-blkiotune-weight", "libvirt drops a number that is too large" },
    { "bad-disk-iotune-burst", "QEMU refuses it when the guest starts" },
    { "bad-disk-iotune-length", "likewise" },
    { "bad-disk-iotune-small-burst", "likewise" },
    { "bad-resource", "libvirt 9.0 refuses it without a word" },
    { "tune-memory-unlimited", "libvirt writes no limit as an empty element" },
    { "disk-plain", "only libvirt's driver for QEMU names itself and raw images" },
    { "kept-channel-spice", "a channel that the guest does not get needs no controller" },
    { "kept-channel-beside-agent", "likewise" },
    { "kept-graphics-all",
      "what is kept is kept as it was written: libvirt sorts it, and adds a card" },
    { "kept-video-all", "likewise, and libvirt fills in the memory of cards" },
    { "bad-clock-adjustment-variable", "libvirt takes what is no number for 0" },
    { "kept-newer", "libvirt 9.0 does not know these yet" },
    { "newer-features", "libvirt 9.0 does not know these yet" },
    { "disk-accepted", "what only asks for what is so anyway is not written back" },
};

/* What libvirt's driver for QEMU says with the same number and text, and its test driver does not: it
 * builds no hierarchy. */
static const char *const of_qemu[] = {
    "bad-bios-serial-none",
    "bad-channel-port",
    "bad-channel-port-twice",
    "bad-controller-port-index",
    "bad-controller-port-number",
    "bad-controller-port-chassis",
    "bad-controller-port-zero",
    "bad-controller-port-twice",
    "bad-controller-root-address",
    "bad-controller-root-index",
    "bad-controller-root-target",
    "bad-cpu-address-passthrough-bits",
    "bad-cpu-address-no-bits",
    "bad-cpu-cache-level",
    "bad-cpu-cache-passthrough",
    "bad-cpu-cache-passthrough-level",
    "bad-disk-driver-name",
    "bad-memorybacking-huge-anonymous",
    "bad-memorybacking-ondemand",
    "bad-disk-io-native",
    "bad-disk-iothread",
    "bad-disk-iothread-cdrom",
    "bad-disk-iotune-group",
    "bad-disk-iotune-groups",
    "bad-disk-iotune-much",
    "bad-disk-serial",
    "bad-disk-shareable-qcow2",
    "bad-disk-target-partition",
    "bad-disk-target-zero",
    "bad-resource-relative",
    "bad-resource-up",
    "bad-firmware-acpi",
    "bad-firmware-acpi-flash",
    "bad-firmware-bios-nvram",
    "bad-firmware-feature-alone",
    "bad-firmware-feature-keys",
    "bad-loader-stateful-bios",
    "bad-panic-isa-pci",
    "bad-sysinfo-fwcfg-name",
    "bad-sysinfo-fwcfg-reserved",
    "bad-sysinfo-missing",
    "bad-pci-bus-far",
    "bad-pci-chipset",
    "bad-pci-domain",
    "bad-pci-double",
    "bad-pci-full",
    "bad-pci-port-on-port",
    "bad-pci-port-slot",
    NULL,
};

/* Refusals of what libvirt can do and this machine cannot (yet). */
static gboolean
is_own_refusal(const GError *error)
{
    return error->code == VIR_ERR_CONFIG_UNSUPPORTED &&
           (strstr(error->message, "by this machine") || strstr(error->message, "serial port ") ||
            strstr(error->message, "CPU topology doesn't match") ||
            strstr(error->message, "Maximum CPUs greater"));
}

static gboolean
is_listed(const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    g_autofree char *name = g_strndup(base, strlen(base) - strlen(".xml"));

    if (g_strv_contains(of_qemu, name))
        return TRUE;
    for (gsize i = 0; i < G_N_ELEMENTS(differences); i++) {
        if (strcmp(name, differences[i].name) == 0)
            return TRUE;
    }
    return FALSE;
}

static virConnectPtr connection;

static void
drop_error(void *data, virErrorPtr error)
{
}

/* What libvirt would write for @xml, or NULL: then it reported an error. */
static char *
libvirt_format(const char *xml)
{
    virDomainPtr domain = virDomainDefineXML(connection, xml);
    char *text = domain ? virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE) : NULL;

    if (domain) {
        virDomainUndefine(domain);
        virDomainFree(domain);
    }
    return text;
}

/* The test driver pretends to be a machine of its own: its lines about what only a hypervisor's driver
 * fills in are not compared. */
static gboolean
is_machines_own(const char *line)
{
    static const char *const parts[] = {
        "<type arch=",
        "<target type='isa-serial'",
        "<model name='isa-serial'/>",
        "<target port=",
        "</target>",
        "<cpu mode='",
        "<seclabel ",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (strstr(line, parts[i]))
            return TRUE;
    }
    return FALSE;
}

/* Nor has it a PCI Express hierarchy, whose root and ports and addresses libvirt's driver for QEMU adds,
 * as it does a balloon, a PC's keyboard and mouse and the addresses of channels. What is left without contents is an
 * empty element. */
static char *
drop_hierarchy(const char *text)
{
    static const char hierarchy[] = "    <controller type='pci'(?:[^>]*/>|.*?</controller>)\n|"
                                    "      <address type='(pci|virtio-serial)'[^>]*/>\n";
    static const char balloon[] = "    <memballoon model='virtio'(/>|>\n    </memballoon>)\n";
    static const char hollow[] = "(<(\\w+)( [^>]*)?)>\n *</\\2>";
    static const char inputs[] = "    <input type='(mouse|keyboard)' bus='ps2'/>\n";
    g_autoptr(GRegex) regex = g_regex_new(hierarchy, G_REGEX_DOTALL, 0, NULL);
    g_autoptr(GRegex) default_balloon = g_regex_new(balloon, 0, 0, NULL);
    g_autoptr(GRegex) default_inputs = g_regex_new(inputs, 0, 0, NULL);
    g_autoptr(GRegex) empty = g_regex_new(hollow, 0, 0, NULL);
    g_autofree char *flat = g_regex_replace_literal(regex, text, -1, 0, "", 0, NULL);
    g_autofree char *still = g_regex_replace_literal(default_balloon, flat, -1, 0, "", 0, NULL);
    g_autofree char *rest = g_regex_replace_literal(default_inputs, still, -1, 0, "", 0, NULL);

    return g_regex_replace(empty, rest, -1, 0, "\\1/>", 0, NULL);
}

static char *
comparable(const char *text)
{
    g_autofree char *rest = drop_hierarchy(text);
    g_auto(GStrv) lines = g_strsplit(rest, "\n", -1);
    GString *kept = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        if (!is_machines_own(*line))
            g_string_append_printf(kept, "%s\n", *line);
    }
    return g_string_free(kept, FALSE);
}

static void
assert_same_error(const GError *error)
{
    if (is_own_refusal(error))
        return;
    g_assert_cmpstr(error->message, ==, virGetLastErrorMessage());
    g_assert_cmpint(error->code, ==, virGetLastErrorCode());
}

static void
assert_same_document(const DomainDef *def, const char *libvirts)
{
    g_autofree char *text = domain_xml_format(def, -1, 0);
    g_autofree char *ours = comparable(text);
    g_autofree char *theirs = NULL;

    g_assert_nonnull(libvirts);
    theirs = comparable(libvirts);
    g_assert_cmpstr(ours, ==, theirs);
}

static void
test_document(gconstpointer path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *xml = read_file(path);
    g_autofree char *libvirts = NULL;
    g_autoptr(DomainDef) def = domain_xml_parse(xml, &error);

    if (is_listed(path))
        return;
    libvirts = libvirt_format(xml); /* from malloc(), which is what g_free() frees */
    if (def)
        assert_same_document(def, libvirts);
    else if (!libvirts)
        assert_same_error(error);
    else if (!is_own_refusal(error))
        g_test_fail_printf("libvirt takes this, and here it is: %s", error->message);
}

/* Errors of calls rather than documents: the same table, seen from a client. */
static void
test_lookup(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(virDomainLookupByName(connection, "nobody"));
    driver_error(&error, VIR_ERR_NO_DOMAIN, NULL);
    g_assert_cmpint(virGetLastErrorCode(), ==, error->code);
    g_assert_true(g_str_has_prefix(virGetLastErrorMessage(), error->message));
}

int
main(int argc, char **argv)
{
    unsigned long version = 0;

    g_test_init(&argc, &argv, NULL);
    virSetErrorFunc(NULL, drop_error);
    if (virGetVersion(&version, NULL, NULL) < 0 || version / 1000 != 9000) {
        g_print("1..0 # SKIP the texts are libvirt 9.0's, this is another one\n");
        return 0;
    }
    connection = virConnectOpen("test:///default");
    g_assert_nonnull(connection);
    add_document_tests("/domain-libvirt", test_document);
    g_test_add_func("/domain-libvirt-lookup", test_lookup);
    return g_test_run();
}
