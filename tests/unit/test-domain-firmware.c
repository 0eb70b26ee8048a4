/* Which firmware a domain gets, where its variables are kept, and where it looks for a system. */
#include "driver/boot-order.h"
#include "driver/domain-firmware.h"
#include "driver/domain-xml.h"
#include "driver/error.h"
#include "driver/firmware.h"
#include "qemu-kvm-backend/proto/vmm-msg.h"
#include "qemu-kvm-backend/proto/vmm-proto.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A host with descriptors in two directories and images that they speak of. */
typedef struct Host {
    char *top;
    DriverEnv env;
} Host;

static void
write_file(const Host *host, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(host->top, name, NULL);
    g_autofree char *dir = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

/* A descriptor of NAME-code.fd and NAME-vars.fd, which are made as well. */
static void
describe(const Host *host, const char *file, const char *name, const char *machines,
         const char *features)
{
    g_autofree char *code = g_strconcat(name, "-code.fd", NULL);
    g_autofree char *vars = g_strconcat(name, "-vars.fd", NULL);
    g_autofree char *json = g_strdup_printf(
        "{ \"interface-types\": [\"uefi\"], \"mapping\": { \"device\": \"flash\", \"executable\": "
        "{ \"filename\": \"%s/%s\", \"format\": \"raw\" }, \"nvram-template\": { \"filename\": "
        "\"%s/%s\", \"format\": \"raw\" } }, \"targets\": [ { \"architecture\": \"aarch64\", "
        "\"machines\": [\"*\"] }, { \"architecture\": \"x86_64\", \"machines\": [%s] } ], "
        "\"features\": [%s], \"tags\": [] }",
        host->top, code, host->top, vars, machines, features);

    write_file(host, code, name);
    write_file(host, vars, "variables");
    write_file(host, file, json);
}

static void
host_init(Host *host)
{
    host->top = g_dir_make_tmp("vmctl-firmware-XXXXXX", NULL);
    host->env = (DriverEnv){ .state_dir = g_build_filename(host->top, "state", NULL) };
    host->env.firmware_dirs = g_new0(char *, 3);
    host->env.firmware_dirs[0] = g_build_filename(host->top, "etc", NULL);
    host->env.firmware_dirs[1] = g_build_filename(host->top, "share", NULL);
}

static void
remove_all(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *child = g_build_filename(path, name, NULL);

        remove_all(child);
    }
    g_remove(path);
}

static void
host_clear(Host *host)
{
    remove_all(host->top);
    g_free(host->top);
    g_free(host->env.state_dir);
    g_strfreev(host->env.firmware_dirs);
}

#define PC "\"pc-i440fx-*\", \"pc-q35-*\""

static DomainDef *
parse(const char *os_attrs, const char *os, const char *devices)
{
    g_autofree char *xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os %s><type>hvm</type>%s</os>"
        "<features><acpi/></features><devices>%s</devices></domain>",
        os_attrs, os, devices);
    g_autoptr(GError) error = NULL;
    DomainDef *def = domain_xml_parse(xml, &error);

    g_assert_no_error(error);
    return def;
}

static DomainDef *
parse_efi(const char *os)
{
    return parse("firmware='efi'", os, "");
}

/* The image that is chosen for @os, which is NAME-code.fd. */
static void
assert_chosen(const Host *host, const char *os, const char *name)
{
    g_autoptr(DomainDef) def = parse_efi(os);
    g_autofree char *code = g_strdup_printf("%s/%s-code.fd", host->top, name);
    g_autofree char *vars = g_strdup_printf("%s/%s-vars.fd", host->top, name);
    g_autoptr(GError) error = NULL;

    domain_firmware_fill(def, &host->env, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(def->os.loader.path, ==, code);
    g_assert_cmpstr(def->os.nvram.template, ==, vars);
    g_assert_true(domain_def_check(def, &error));
}

static void
test_choice(void)
{
    static const char secure[] = "<firmware><feature name='secure-boot' enabled='yes'/></firmware>";
    Host host;

    host_init(&host);
    describe(&host, "share/30-old.json", "old", "\"pc-i440fx-*\"", "");
    describe(&host, "share/40-smm.json", "smm", PC, "\"requires-smm\", \"secure-boot\"");
    describe(&host, "share/60-plain.json", "plain", PC, "\"acpi-s3\"");
    describe(&host, "share/70-secure.json", "secure", PC, "\"secure-boot\"");
    describe(&host, "share/80-keys.json", "keys", PC, "\"secure-boot\", \"enrolled-keys\"");
    write_file(&host, "share/10-broken.txt", "no descriptor");
    assert_chosen(&host, "", "plain");
    assert_chosen(&host, secure, "secure");
    assert_chosen(&host,
                  "<firmware><feature name='secure-boot' enabled='yes'/>"
                  "<feature name='enrolled-keys' enabled='yes'/></firmware>",
                  "keys");
    /* The administrator's are asked as well, and hide those of their name. */
    describe(&host, "etc/50-own.json", "own", PC, "");
    assert_chosen(&host, "", "own");
    describe(&host, "etc/60-plain.json", "mine", PC, "");
    write_file(&host, "etc/50-own.json", "");
    assert_chosen(&host, "", "mine");
    write_file(&host, "etc/70-secure.json", "");
    assert_chosen(&host, secure, "keys");
    host_clear(&host);
}

static void
test_written_back(void)
{
    g_autoptr(DomainDef) def = parse_efi("");
    g_autoptr(DomainDef) again = NULL;
    g_autofree char *first = NULL, *second = NULL, *os = NULL;
    g_autoptr(GError) error = NULL;
    Host host;

    host_init(&host);
    describe(&host, "share/60-plain.json", "plain", PC, "");
    g_assert_true(domain_firmware_fill(def, &host.env, NULL));
    first = domain_xml_format(def, -1, 0);
    os =
        g_strdup_printf("    <firmware>\n"
                        "      <feature enabled='no' name='enrolled-keys'/>\n"
                        "      <feature enabled='no' name='secure-boot'/>\n"
                        "    </firmware>\n"
                        "    <loader readonly='yes' type='pflash'>%s/plain-code.fd</loader>\n"
                        "    <nvram template='%s/plain-vars.fd'>%s/state/nvram/a_VARS.fd</nvram>\n",
                        host.top, host.top, host.top);
    g_assert_nonnull(strstr(first, os));
    g_assert_nonnull(strstr(first, "<os firmware='efi'>"));
    /* Once chosen it stays, whatever comes to be there. */
    describe(&host, "share/10-better.json", "better", PC, "");
    again = domain_xml_parse(first, &error);
    g_assert_no_error(error);
    g_assert_true(domain_firmware_fill(again, &host.env, NULL));
    second = domain_xml_format(again, -1, 0);
    g_assert_cmpstr(first, ==, second);
    host_clear(&host);
}

static void
test_named_loader(void)
{
    g_autofree char *os = NULL, *vars = NULL;
    g_autoptr(DomainDef) def = NULL;
    g_autoptr(DomainDef) rom = parse("", "<loader>/bios.bin</loader>", "");
    Host host;

    host_init(&host);
    describe(&host, "share/60-plain.json", "plain", PC, "");
    os =
        g_strdup_printf("<loader readonly='yes' type='pflash'>%s/plain-code.fd</loader>", host.top);
    vars = g_strdup_printf("%s/plain-vars.fd", host.top);
    def = parse("", os, "");
    g_assert_true(domain_firmware_fill(def, &host.env, NULL));
    g_assert_cmpstr(def->os.nvram.template, ==, vars);
    g_assert_true(g_str_has_suffix(def->os.nvram.path, "/state/nvram/a_VARS.fd"));
    g_assert_true(domain_firmware_fill(rom, &host.env, NULL));
    g_assert_null(rom->os.nvram.path);
    host_clear(&host);
}

static void
test_none(void)
{
    g_autoptr(DomainDef) def =
        parse_efi("<firmware><feature name='secure-boot' enabled='yes'/></firmware>");
    g_autoptr(GError) error = NULL;
    Host host;

    host_init(&host);
    describe(&host, "share/60-plain.json", "plain", PC, "");
    describe(&host, "share/70-smm.json", "smm", PC, "\"requires-smm\", \"secure-boot\"");
    g_assert_false(domain_firmware_fill(def, &host.env, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_OPERATION_FAILED);
    g_assert_nonnull(strstr(error->message, "Unable to find any firmware to satisfy 'efi'"));
    host_clear(&host);
}

/* What is no use as an image, each beside one that is. */
static void
test_unfit(void)
{
    static const char *const texts[] = {
        "{",
        "[]",
        "{}",
        "{ \"interface-types\": \"uefi\" }",
        "{ \"interface-types\": [\"uefi\"], \"targets\": [1, {}, {\"architecture\": 1}] }",
        "{ \"interface-types\": [\"uefi\"], \"targets\": [{\"architecture\": \"x86_64\", "
        "\"machines\": "
        "[\"pc-q35-*\"]}], \"mapping\": {\"device\": \"flash\", \"executable\": {\"filename\": "
        "\"/etc/passwd\", \"format\": \"qcow2\"}, \"nvram-template\": {\"filename\": "
        "\"/etc/passwd\", "
        "\"format\": \"raw\"}} }",
        "{ \"interface-types\": [\"uefi\"], \"targets\": [{\"architecture\": \"x86_64\", "
        "\"machines\": "
        "[\"pc-q35-*\"]}], \"mapping\": {\"device\": \"flash\", \"mode\": \"combined\", "
        "\"executable\": "
        "{\"filename\": \"/etc/passwd\", \"format\": \"raw\"}} }",
        "{ \"interface-types\": [\"uefi\"], \"targets\": [{\"architecture\": \"x86_64\", "
        "\"machines\": "
        "[\"pc-q35-*\"]}], \"mapping\": {\"device\": \"memory\", \"filename\": 3} }",
    };
    Host host;

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        host_init(&host);
        write_file(&host, "etc/10.json", texts[i]);
        describe(&host, "share/60-plain.json", "plain", PC, "");
        if (i == 0)
            g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "*10.json' is left out*");
        assert_chosen(&host, "", "plain");
        g_test_assert_expected_messages();
        host_clear(&host);
    }
}

static gboolean
put(const Host *host, const DomainDef *def, gboolean reset, GError **error)
{
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
    gboolean done = domain_firmware_put(msg, def, &host->env, reset, error);

    if (done)
        g_assert_true(vmm_msg_has(msg, "nvram") && vmm_msg_has(msg, "firmware"));
    vmm_msg_free(msg);
    return done;
}

static void
assert_text(const char *path, const char *wanted)
{
    g_autofree char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, wanted);
}

static void
test_variables(void)
{
    g_autoptr(DomainDef) def = parse_efi("");
    const char *path;
    struct stat st;
    Host host;

    host_init(&host);
    describe(&host, "share/60-plain.json", "plain", PC, "");
    g_assert_true(domain_firmware_fill(def, &host.env, NULL));
    path = def->os.nvram.path;
    g_assert_cmpint(g_access(path, F_OK), <, 0);
    g_assert_true(put(&host, def, FALSE, NULL));
    assert_text(path, "variables");
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0600);
    /* They stay as the guest left them, until somebody wants them new. */
    g_assert_true(g_file_set_contents(path, "changed", -1, NULL));
    g_assert_true(put(&host, def, FALSE, NULL));
    assert_text(path, "changed");
    g_assert_true(put(&host, def, TRUE, NULL));
    assert_text(path, "variables");
    host_clear(&host);
}

/* Two guests never write to one file, and the one that runs keeps what it has. */
static void
test_lock(void)
{
    g_autoptr(DomainDef) def = parse_efi("");
    VmmMsg *held = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
    g_autoptr(GError) error = NULL;
    Host host;

    host_init(&host);
    describe(&host, "share/60-plain.json", "plain", PC, "");
    g_assert_true(domain_firmware_fill(def, &host.env, NULL));
    g_assert_true(domain_firmware_put(held, def, &host.env, FALSE, NULL));
    g_assert_true(g_file_set_contents_full(def->os.nvram.path, "VARIABLES", -1,
                                           G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    vmm_msg_free(held);
    held = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
    g_assert_true(domain_firmware_put(held, def, &host.env, FALSE, NULL));
    g_assert_false(put(&host, def, TRUE, &error));
    g_assert_error(error, DRIVER_ERROR, VIR_ERR_RESOURCE_BUSY);
    assert_text(def->os.nvram.path, "VARIABLES");
    vmm_msg_free(held);
    g_assert_true(put(&host, def, TRUE, NULL));
    host_clear(&host);
}

static void
test_no_template(void)
{
    g_autoptr(DomainDef) def = NULL;
    g_autofree char *os = NULL;
    g_autoptr(GError) error = NULL;
    Host host;

    host_init(&host);
    write_file(&host, "code.fd", "code");
    os = g_strdup_printf("<loader readonly='yes' type='pflash'>%s/code.fd</loader>", host.top);
    def = parse("", os, "");
    g_assert_true(domain_firmware_fill(def, &host.env, NULL));
    g_assert_false(put(&host, def, FALSE, &error));
    g_assert_true(g_str_has_prefix(
        error->message, "operation failed: unable to find any master var store for loader: "));
    host_clear(&host);
}

static void
test_undefine(void)
{
    g_autoptr(DomainDef) def = parse_efi("");
    g_autoptr(GError) none = NULL, both = NULL;
    Host host;

    host_init(&host);
    describe(&host, "share/60-plain.json", "plain", PC, "");
    g_assert_true(domain_firmware_fill(def, &host.env, NULL));
    g_assert_true(domain_firmware_may_undefine(def, 0, NULL)); /* there is no file yet */
    g_assert_true(put(&host, def, FALSE, NULL));
    g_assert_false(domain_firmware_may_undefine(def, 0, &none));
    g_assert_cmpstr(none->message, ==,
                    "Requested operation is not valid: cannot undefine domain with nvram");
    g_assert_false(domain_firmware_may_undefine(
        def, VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM, &both));
    g_assert_cmpstr(both->message, ==,
                    "Requested operation is not valid: cannot both keep and delete nvram");
    g_assert_true(domain_firmware_may_undefine(def, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM, NULL));
    assert_text(def->os.nvram.path, "variables");
    g_assert_true(domain_firmware_may_undefine(def, VIR_DOMAIN_UNDEFINE_NVRAM, NULL));
    assert_text(def->os.nvram.path, "variables");
    g_assert_true(domain_firmware_remove_variables(def, NULL));
    g_assert_cmpint(g_access(def->os.nvram.path, F_OK), <, 0);
    g_assert_true(domain_firmware_remove_variables(def, NULL));
    host_clear(&host);
}

#define DISK(name, more)                                                                           \
    "<disk type='file'><source file='/" name "'/><target dev='" name "' bus='virtio'/>" more       \
    "</disk>"
#define CARD(more) "<interface type='ethernet'><model type='virtio'/>" more "</interface>"
#define ADDRESS(bus, slot, function)                                                               \
    "<address type='pci' bus='" bus "' slot='" slot "' function='" function "'/>"

/* Places and paths as QEMU has them. */
static void
test_boot_order(void)
{
    static const struct {
        const char *os, *devices, *wanted;
    } rows[] = {
        { "", "", "HALT" },
        { "", DISK("vda", ADDRESS("0", "3", "0")) DISK("vdb", ADDRESS("0", "4", "0")),
          "/pci@i0cf8/scsi@3/disk@0,0\nHALT" },
        { "", DISK("vda", ADDRESS("0", "0x1e", "2")), "/pci@i0cf8/scsi@1e,2/disk@0,0\nHALT" },
        { "", DISK("vda", ""), "/pci@i0cf8/pci-bridge@1/scsi@0/disk@0,0\nHALT" },
        { "", CARD("") DISK("vda", ""), "/pci@i0cf8/pci-bridge@1,1/scsi@0/disk@0,0\nHALT" },
        { "<boot dev='network'/><boot dev='hd'/>", CARD("") CARD("") DISK("vda", ""),
          "/pci@i0cf8/pci-bridge@1/ethernet@0/ethernet-phy@0\n"
          "/pci@i0cf8/pci-bridge@1,2/scsi@0/disk@0,0\nHALT" },
        { "<boot dev='cdrom'/>", DISK("vda", ""), "HALT" },
        { "<boot dev='cdrom'/><boot dev='hd'/>",
          "<disk type='file' device='cdrom'><source file='/a.iso'/><target dev='vda'/></disk>" DISK(
              "vdb", ""),
          "/pci@i0cf8/pci-bridge@1/scsi@0/disk@0,0\n"
          "/pci@i0cf8/pci-bridge@1,1/scsi@0/disk@0,0\nHALT" },
        { "<boot dev='hd'/>",
          "<disk type='file' device='cdrom'><source file='/a.iso'/><target dev='vda'/></disk>" DISK(
              "vdb", ""),
          "/pci@i0cf8/pci-bridge@1,1/scsi@0/disk@0,0\nHALT" },
        { "",
          DISK("vda", "<boot order='3'/>") DISK("vdb", "<boot order='1'/>") DISK("vdc", "")
              CARD("<boot order='2'/>"),
          "/pci@i0cf8/pci-bridge@1,2/scsi@0/disk@0,0\n"
          "/pci@i0cf8/pci-bridge@1/ethernet@0/ethernet-phy@0\n"
          "/pci@i0cf8/pci-bridge@1,1/scsi@0/disk@0,0\nHALT" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(DomainDef) def = parse("", rows[i].os, rows[i].devices);
        g_autofree char *order = boot_order_compose(def);

        g_assert_cmpstr(order, ==, rows[i].wanted);
    }
}

/* Its path: with @signature where UEFI's images have one. */
static char *
write_image(const Host *host, const char signature[8])
{
    char *path = g_build_filename(host->top, "image.fd", NULL);
    char image[64] = { 0 };

    memcpy(image + 40, signature, 8);
    g_assert_true(g_file_set_contents(path, image, sizeof(image), NULL));
    return path;
}

/* A BIOS that boots from a network card gets a ROM for it; UEFI, and who boots from something else, get none. */
static void
test_network_rom(void)
{
    static const struct {
        char content[8];
        const char *boot;
        gboolean wanted;
    } rows[] = {
        { "", "<boot dev='hd'/><boot dev='network'/>", TRUE },
        { "", "<boot dev='hd'/>", FALSE },
        { "_FVH", "<boot dev='network'/>", FALSE },
    };

    Host host;

    if (!firmware_network_rom()) {
        g_test_skip("this host has no ROM for network cards");
        return;
    }
    host_init(&host);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = write_image(&host, rows[i].content);
        g_autofree char *os = g_strdup_printf("<loader type='rom'>%s</loader>%s", path, rows[i].boot);
        const char *rom;
        g_autoptr(DomainDef) def = parse("", os, CARD(""));
        vmm_msg_auto msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);

        g_assert_true(domain_firmware_put(msg, def, &host.env, FALSE, NULL));
        g_assert_true(domain_firmware_network_rom(msg, def, TRUE, &rom, NULL));
        g_assert_cmpint(rom != NULL, ==, rows[i].wanted);
    }
    host_clear(&host);
}

static void
test_settings(void)
{
    g_autoptr(DomainDef) def =
        parse("", "<loader>/dev/null</loader><bootmenu enable='yes'/><bios rebootTimeout='0'/>",
              "<serial type='pty'/>");
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
    guint64 menu = 0, reboot = 1, port = 0;
    const char *uuid = NULL;
    Host host;

    host_init(&host);
    g_assert_true(domain_firmware_put(msg, def, &host.env, FALSE, NULL));
    g_assert_true(vmm_msg_get_u64(msg, "boot-menu", &menu));
    g_assert_true(vmm_msg_get_u64(msg, "reboot-timeout", &reboot));
    g_assert_true(vmm_msg_get_u64(msg, "firmware-port", &port));
    g_assert_true(vmm_msg_get_string(msg, "uuid", &uuid));
    g_assert_cmpuint(menu, ==, 2500);
    g_assert_cmpuint(reboot, ==, 0);
    g_assert_cmpuint(port, ==, 0x3f8);
    g_assert_cmpstr(uuid, ==, def->uuid);
    vmm_msg_free(msg);
    host_clear(&host);
}

/* What the image is counts, not what it is loaded as. */
static void
test_kind(void)
{
    static const struct {
        char content[8];
        const char *begin, *end;
        gboolean wanted;
    } rows[] = {
        { "", "<loader type='rom'>", "</loader>", FALSE },
        { "\0_FVH", "<loader type='rom'>", "</loader>", FALSE },
        { "_FVH", "<loader type='rom'>", "</loader>", TRUE },
        { "_FVH", "<loader>", "</loader><kernel>/vmlinuz</kernel>", TRUE },
        { "_FVH", "<loader type='pflash' readonly='yes' stateless='yes'>", "</loader>", TRUE },
        { "SEA", "<loader type='pflash' readonly='yes' stateless='yes'>", "</loader>", FALSE },
    };
    Host host;

    host_init(&host);
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = write_image(&host, rows[i].content);
        g_autofree char *os = g_strconcat(rows[i].begin, path, rows[i].end, NULL);
        g_autoptr(DomainDef) def = parse("", os, "");
        vmm_msg_auto msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
        bool uefi = false;

        g_assert_true(domain_firmware_put(msg, def, &host.env, FALSE, NULL));
        vmm_msg_get_bool(msg, "firmware-uefi", &uefi);
        g_assert_cmpint(uefi, ==, rows[i].wanted);
    }
    host_clear(&host);
}

/* Every text of a document arrives, under a key that the VMM knows. */
static void
test_sysinfo(void)
{
    static const char sysinfo[] =
        "<loader>/dev/null</loader><smbios mode='sysinfo'/></os><sysinfo type='smbios'>"
        "<bios><entry name='release'>4.2</entry></bios><system><entry "
        "name='family'>f</entry></system>"
        "<baseBoard><entry name='location'>l</entry></baseBoard><chassis><entry "
        "name='sku'>s</entry>"
        "</chassis><oemStrings><entry>one</entry><entry>two</entry></oemStrings></sysinfo>"
        "<sysinfo type='fwcfg'><entry name='opt/a'>x</entry><entry name='opt/b' file='/dev/null'/>"
        "</sysinfo>";
    static const char *const keys[] = { "smbios-bios-release",   "smbios-system-family",
                                        "smbios-board-location", "smbios-chassis-sku",
                                        "smbios-oem-0",          "smbios-oem-1",
                                        "fw-cfg-0-name",         "fw-cfg-0-content",
                                        "fw-cfg-1-name",         "fw-cfg-1-fd" };
    VmmMsg *msg = vmm_msg_new(VMM_MSG_REQUEST, 1, VMM_CREATE);
    g_autoptr(DomainDef) def = NULL;
    g_autofree char *xml = NULL;
    Host host;

    host_init(&host);
    xml = g_strdup_printf(
        "<domain type='kvm'><name>a</name><memory>65536</memory><os><type>hvm</type>"
        "%s</domain>",
        sysinfo);
    def = domain_xml_parse(xml, NULL);
    g_assert_nonnull(def);
    g_assert_true(domain_firmware_put(msg, def, &host.env, FALSE, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!vmm_msg_has(msg, keys[i]))
            g_error("there is no key %s", keys[i]);
    }
    vmm_msg_free(msg);
    host_clear(&host);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/domain-firmware/choice", test_choice);
    g_test_add_func("/domain-firmware/written-back", test_written_back);
    g_test_add_func("/domain-firmware/named-loader", test_named_loader);
    g_test_add_func("/domain-firmware/none", test_none);
    g_test_add_func("/domain-firmware/unfit", test_unfit);
    g_test_add_func("/domain-firmware/variables", test_variables);
    g_test_add_func("/domain-firmware/lock", test_lock);
    g_test_add_func("/domain-firmware/no-template", test_no_template);
    g_test_add_func("/domain-firmware/undefine", test_undefine);
    g_test_add_func("/domain-firmware/boot-order", test_boot_order);
    g_test_add_func("/domain-firmware/network-rom", test_network_rom);
    g_test_add_func("/domain-firmware/settings", test_settings);
    g_test_add_func("/domain-firmware/kind", test_kind);
    g_test_add_func("/domain-firmware/sysinfo", test_sysinfo);
    return g_test_run();
}
