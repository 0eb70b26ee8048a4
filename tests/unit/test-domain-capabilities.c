/* What guests can be, on this host or on one without KVM: a document of libvirt's schema, as far as that is
 * installed, in which hosts' facts agree with each other. */
#include "driver/capabilities.h"
#include "driver/cpu-archs.h"
#include "driver/cpu-models.h"
#include "driver/device-passive.h"
#include "driver/domain-capabilities.h"
#include "driver/domain-xml.h"
#include "driver/error.h"

#include <glib/gstdio.h>
#include <string.h>

#define SCHEMAS "/usr/share/libvirt/schemas/"

static DriverEnv *
make_env(const char *kvm)
{
    DriverEnv *env = driver_env_new(FALSE);

    g_free(env->kvm);
    env->kvm = g_strdup(kvm);
    return env;
}

static char *
format(const char *kvm)
{
    g_autoptr(DriverEnv) env = make_env(kvm);
    const DomainCapabilitiesQuery query = { NULL, "x86_64", "pc-q35-7.2", "kvm" };
    g_autoptr(GError) error = NULL;
    char *xml = domain_capabilities_format(env, &query, &error);

    g_assert_no_error(error);
    return xml;
}

static void
assert_valid(const char *xml, const char *schema)
{
    g_autofree char *path = g_strconcat(SCHEMAS, schema, NULL);
    g_autofree char *name = NULL;
    const char *argv[] = { "xmllint", "--noout", "--relaxng", path, NULL, NULL };
    g_autofree char *errors = NULL;
    int status = 0, fd;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_test_skip("libvirt's schemas are not installed");
        return;
    }
    fd = g_file_open_tmp("capabilities-XXXXXX", &name, NULL);
    g_assert_true(g_file_set_contents(name, xml, -1, NULL));
    argv[4] = name;
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                               &errors, &status, NULL));
    g_remove(name);
    g_close(fd, NULL);
    if (status)
        g_test_message("%s", errors);
    g_assert_cmpint(status, ==, 0);
}

static guint
count(const char *text, const char *part)
{
    guint n = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        n++;
    return n;
}

static void
test_document(gconstpointer kvm)
{
    g_autofree char *xml = format(kvm);
    guint usable = count(xml, "<model usable='yes'"), unusable = count(xml, "<model usable='no'");

    g_assert_true(g_str_has_prefix(xml, "<domainCapabilities>\n"));
    g_assert_nonnull(strstr(xml, "<iothreads supported='yes'/>"));
    g_assert_nonnull(strstr(xml, "<mode name='host-passthrough' supported='yes'>"));
    g_assert_cmpuint(usable + unusable, ==, cpu_n_models);
    g_assert_cmpuint(count(xml, "<blockers model="), ==, unusable);
    g_assert_cmpint(usable > 0, ==,
                    strstr(xml, "<mode name='host-model' supported='yes'>") != NULL);
}

static void
test_without_kvm(void)
{
    g_autofree char *xml = format("/dev/null");

    g_assert_nonnull(strstr(xml, "<mode name='host-model' supported='no'/>"));
    g_assert_cmpuint(count(xml, "<model usable='yes'"), ==, 0);
}

static void
test_schema(void)
{
    g_autofree char *xml = format("/dev/kvm");
    g_autoptr(GRegex) regex = g_regex_new("<blockers.*?</blockers>", G_REGEX_DOTALL, 0, NULL);
    g_autofree char *old = g_regex_replace_literal(regex, xml, -1, 0, "", 0, NULL);

    assert_valid(old, "domaincaps.rng"); /* blockers are newer than some of the schemas */
}

/* The host's own description says nothing that the processor does not. */
static void
test_host(void)
{
    g_autoptr(DriverEnv) env = make_env("/dev/kvm");
    g_autofree char *xml = capabilities_format(env), *plain = NULL;
    /* The schema has forgotten that some names have a dot. */
    g_autoptr(GRegex) regex = g_regex_new("<feature name='[^']*[.][^']*'/>", 0, 0, NULL);

    g_assert_cmpuint(count(xml, "<signature family='"), ==, 1);
    g_assert_cmpuint(count(xml, "<maxphysaddr mode='emulate' bits='"), ==, 1);
    g_assert_cmpuint(count(xml, "<feature name='"), >, 0);
    plain = g_regex_replace_literal(regex, xml, -1, 0, "", 0, NULL);
    assert_valid(plain, "capability.rng");
}

/* All words of libvirt's, each in a document: those that give the guest something are the ones that the
 * capabilities have. */
static const struct Claim {
    const char *device, *name; /* of the enum */
    const char *words;
    const char *document; /* the device, with the word for %s */
} claims[] = {
    { "disk", "diskDevice", "disk cdrom floppy lun",
      "<disk type='file' device='%s'><source file='/x'/><target dev='vda'/></disk>" },
    /* A CD-ROM's, which can name more of them than a disk. */
    { "disk", "bus", "ide fdc scsi virtio xen usb uml sata sd",
      "<disk type='file' device='cdrom'><source file='/x'/><target dev='vda' bus='%s'/></disk>" },
    { "rng", "model", "virtio virtio-transitional virtio-non-transitional",
      "<rng model='%s'><backend model='random'/></rng>" },
    { "rng", "backendModel", "random egd builtin",
      "<rng model='virtio'><backend model='%s'>/dev/x</backend></rng>" },
    { "channel", "type",
      "null vc pty dev file pipe stdio udp tcp unix spicevmc spiceport nmdm qemu-vdagent dbus",
      "<channel type='%s'><source mode='connect' path='/x' host='127.0.0.1' service='7'/>"
      "<target type='virtio' name='a'/></channel>" },
    { "graphics", NULL, "vnc spice sdl egl-headless dbus", "<graphics type='%s'/>" },
    { "video", NULL, "virtio vga qxl bochs ramfb", "<video><model type='%s'/></video>" },
    { "tpm", NULL, "tpm-crb tpm-tis", "<tpm model='%s'><backend type='emulator'/></tpm>" },
    { "redirdev", NULL, "spicevmc tcp", "<redirdev bus='usb' type='%s'/>" },
    { "filesystem", NULL, "mount", "<filesystem type='%s'><source dir='/x'/><target dir='y'/></filesystem>" },
    { "hostdev", NULL, "pci usb", "<hostdev mode='subsystem' type='%s'/>" },
};

/* Whether a guest gets the device of this document. */
static gboolean
gives(const char *device, const char *element)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
        "<kernel>/k</kernel></os><devices>%s</devices></domain>",
        device);
    g_autoptr(DomainDef) def = domain_xml_parse(xml, NULL);

    for (guint i = 0; def && i < def->devices->len; i++) {
        const Device *dev = def->devices->pdata[i];

        if (strcmp(dev->kind->element, element) == 0 && !device_is_passive(dev))
            return TRUE;
    }
    return FALSE;
}

/* The part of @xml that is about a device. */
static char *
about(const char *xml, const char *device)
{
    g_autofree char *begin = g_strdup_printf("    <%s supported='", device);
    g_autofree char *end = g_strdup_printf("    </%s>", device);
    const char *from = strstr(strstr(xml, "<devices>"), begin), *to;

    g_assert_nonnull(from);
    if (g_str_has_prefix(from + strlen(begin), "no'/>"))
        return g_strdup("");
    to = strstr(from, end);
    g_assert_nonnull(to);
    return g_strndup(from, to - from);
}

static gboolean
has_word(const char *part, const char *name, const char *word)
{
    g_autofree char *begin = g_strdup_printf("<enum name='%s'>", name);
    g_autofree char *value = g_strdup_printf("<value>%s</value>", word);
    const char *from = strstr(part, begin), *to = from ? strstr(from, "</enum>") : NULL;
    const char *at = from ? strstr(from, value) : NULL;

    return at && at < to;
}

static void
test_devices(void)
{
    g_autofree char *xml = format("/dev/null");

    for (gsize i = 0; i < G_N_ELEMENTS(claims); i++) {
        const struct Claim *claim = &claims[i];
        g_autofree char *part = about(xml, claim->device);
        g_auto(GStrv) words = g_strsplit(claim->words, " ", -1);

        for (char **word = words; *word; word++) {
            g_auto(GStrv) around = g_strsplit(claim->document, "%s", 2);
            g_autofree char *device = g_strconcat(around[0], *word, around[1], NULL);
            gboolean claimed = claim->name && has_word(part, claim->name, *word);

            g_test_message("%s %s", claim->device, *word);
            g_assert_cmpint(gives(device, claim->device), ==, claimed);
        }
    }
}

/* What a definition may say of a loader is what the capabilities have. */
static void
test_loader(void)
{
    static const char *const words[] = { "yes", "no" };
    g_autofree char *xml = format("/dev/null");
    const char *part = strstr(xml, "<loader supported='yes'>");

    g_assert_nonnull(part);
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *document = g_strdup_printf(
            "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
            "<loader readonly='%s' type='pflash'>/x</loader><nvram>/y</nvram></os>"
            "<features><acpi/></features></domain>",
            words[i]);
        g_autoptr(DomainDef) def = domain_xml_parse(document, NULL);

        g_test_message("%s", words[i]);
        g_assert_cmpint(def != NULL, ==, has_word(part, "readonly", words[i]));
    }
}

/* A chain that a definition names is the one that a guest gets. */
static void
test_backing_store(void)
{
    g_autofree char *xml = format("/dev/null");

    g_assert_true(gives(
        "<disk type='file'><driver type='qcow2'/><source file='/x'/><backingStore type='file'>"
        "<format type='raw'/><source file='/y'/><backingStore/></backingStore>"
        "<target dev='vda'/></disk>",
        "disk"));
    g_assert_nonnull(strstr(xml, "<backingStoreInput supported='yes'/>"));
}

static void
test_machines(void)
{
    static const char *const machines[] = { "q35", "pc-q35-9.0", "microvm", NULL };
    g_autoptr(DriverEnv) env = make_env("/dev/null");
    DomainCapabilitiesQuery query = { NULL, NULL, NULL, NULL };
    g_autoptr(GError) error = NULL;

    for (const char *const *machine = machines; *machine; machine++) {
        g_autofree char *xml = NULL;

        query.machine = *machine;
        xml = domain_capabilities_format(env, &query, &error);
        g_assert_no_error(error);
        g_assert_nonnull(strstr(xml, strcmp(*machine, "microvm") == 0 ? "<machine>microvm<"
                                                                      : "<machine>q35<"));
    }
    query.machine = "pc";
    g_assert_null(domain_capabilities_format(env, &query, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG);
}

static void
test_models(void)
{
    g_auto(GStrv) names = cpu_arch_models("x86_64", NULL);
    g_auto(GStrv) any = cpu_arch_models("aarch64", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpuint(g_strv_length(names), ==, cpu_n_models);
    g_assert_cmpstr(names[0], ==, "486");
    g_assert_cmpuint(g_strv_length(any), ==, 0);
    g_assert_null(cpu_arch_models("nope", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_INVALID_ARG);
    g_clear_error(&error);
    g_assert_null(cpu_arch_models("riscv64", &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_NO_SUPPORT);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/domain-capabilities/kvm", "/dev/kvm", test_document);
    g_test_add_data_func("/domain-capabilities/no-kvm", "/dev/null", test_document);
    g_test_add_func("/domain-capabilities/without-kvm", test_without_kvm);
    g_test_add_func("/domain-capabilities/schema", test_schema);
    g_test_add_func("/domain-capabilities/host", test_host);
    g_test_add_func("/domain-capabilities/devices", test_devices);
    g_test_add_func("/domain-capabilities/loader", test_loader);
    g_test_add_func("/domain-capabilities/backing-store", test_backing_store);
    g_test_add_func("/domain-capabilities/machines", test_machines);
    g_test_add_func("/domain-capabilities/models", test_models);
    return g_test_run();
}
