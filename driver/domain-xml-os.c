#include "driver/domain-xml-os.h"

#include "driver/error.h"
#include "driver/sysinfo.h"
#include "driver/xml-read.h"
#include "driver/xml-write.h"

#include <string.h>

static const char *const switch_words[] = { "no", "yes", NULL };

static gboolean
is_element(const XmlNode *node, const char *name)
{
    return !xml_namespace(node) && strcmp(xml_name(node), name) == 0;
}

static gboolean
parse_switch(const XmlNode *node, const char *name, int *ret, GError **error)
{
    return xml_attr_word(node, name, XML_OPTIONAL, switch_words, ret, error);
}

static gboolean
parse_firmware(DomainOs *os, const XmlNode *node, GError **error)
{
    g_autofree char *firmware = xml_attr(node, "firmware");

    for (int i = 1; firmware && domain_firmware_words[i]; i++) {
        if (strcmp(domain_firmware_words[i], firmware) == 0)
            os->firmware = i;
    }
    if (firmware && os->firmware == DOMAIN_FIRMWARE_NONE)
        return driver_error(error, VIR_ERR_XML_ERROR, "unknown firmware value %s", firmware);
    return TRUE;
}

static gboolean
parse_features(DomainOs *os, const XmlNode *node, GError **error)
{
    const XmlNode *firmware = xml_child(node, "firmware");
    const XmlNode *child = firmware ? xml_first(firmware) : NULL;

    for (; child; child = xml_next(child)) {
        int feature = 0, enabled = 0;

        if (!is_element(child, "feature"))
            continue;
        if (!xml_attr_word(child, "name", XML_REQUIRED, domain_firmware_feature_words, &feature,
                           error) ||
            !xml_attr_word(child, "enabled", XML_REQUIRED, switch_words, &enabled, error))
            return FALSE;
        os->firmware_features[feature] = enabled;
    }
    return TRUE;
}

static gboolean
parse_loader(DomainOs *os, const XmlNode *node, GError **error)
{
    DomainLoader *loader = &os->loader;
    const XmlNode *child = xml_child(node, "loader");
    int type = -1;

    if (!child)
        return TRUE;
    loader->present = TRUE;
    loader->path = xml_child_text(node, "loader");
    if (!parse_switch(child, "readonly", &loader->readonly, error) ||
        !parse_switch(child, "secure", &loader->secure, error) ||
        !parse_switch(child, "stateless", &loader->stateless, error) ||
        !xml_attr_word(child, "type", XML_OPTIONAL, domain_loader_words + 1, &type, error))
        return FALSE;
    loader->type = type + 1;
    return TRUE;
}

/* Blocks and networks are the policy table's to refuse. */
static gboolean
parse_nvram(DomainOs *os, const XmlNode *node, GError **error)
{
    static const char *const types[] = { "file", NULL };
    const XmlNode *child = xml_child(node, "nvram");
    const XmlNode *source = child ? xml_child(child, "source") : NULL;
    int type = -1;

    if (!child)
        return TRUE;
    os->nvram.template = xml_attr(child, "template");
    if (!xml_attr_word(child, "type", XML_OPTIONAL, types, &type, error))
        return FALSE;
    os->nvram.as_source = type >= 0;
    if (type < 0)
        os->nvram.path = xml_child_text(node, "nvram");
    else if (source)
        os->nvram.path = xml_attr(source, "file");
    return TRUE;
}

static gboolean
parse_boot(DomainOs *os, const XmlNode *node, GError **error)
{
    for (const XmlNode *child = xml_first(node); child; child = xml_next(child)) {
        int boot = 0;

        if (!is_element(child, "boot"))
            continue;
        if (!xml_attr_word(child, "dev", XML_REQUIRED, domain_boot_words, &boot, error))
            return FALSE;
        if (os->n_boot < DOMAIN_BOOT_MAX)
            os->boot[os->n_boot++] = boot;
    }
    return TRUE;
}

/* A time without a menu means nothing, and libvirt forgets it. */
static gboolean
parse_menu(DomainOs *os, const XmlNode *node, GError **error)
{
    const XmlNode *menu = xml_child(node, "bootmenu");
    guint ms = 0;
    g_autofree char *timeout = menu ? xml_attr(menu, "timeout") : NULL;

    if (!menu)
        return TRUE;
    if (!parse_switch(menu, "enable", &os->boot_menu, error))
        return FALSE;
    if (!timeout || os->boot_menu != 1)
        return TRUE;
    if (!xml_attr_uint(menu, "timeout", XML_OPTIONAL, &ms, error))
        return FALSE;
    os->boot_menu_ms = MIN(ms, G_MAXINT);
    return TRUE;
}

static gboolean
parse_reboot(DomainOs *os, const XmlNode *bios, GError **error)
{
    g_autofree char *text = xml_attr(bios, "rebootTimeout");
    const char *digits = text && *text == '-' ? text + 1 : text;
    guint64 ms;

    if (!text)
        return TRUE;
    if (!xml_parse_uint64(digits, &ms) || ms > G_MAXINT)
        return driver_error(error, VIR_ERR_XML_ERROR,
                            "Invalid value for attribute 'rebootTimeout' in element 'bios': '%s'. "
                            "Expected integer value",
                            text);
    os->has_reboot_ms = TRUE;
    os->reboot_ms = *text == '-' ? -(gint64)ms : (gint64)ms;
    return TRUE;
}

static gboolean
parse_bios(DomainOs *os, const XmlNode *node, GError **error)
{
    const XmlNode *bios = xml_child(node, "bios");

    return !bios || (parse_switch(bios, "useserial", &os->bios_serial, error) &&
                     parse_reboot(os, bios, error));
}

static gboolean
parse_smbios(DomainOs *os, const XmlNode *node, GError **error)
{
    const XmlNode *smbios = xml_child(node, "smbios");
    g_autofree char *mode = smbios ? xml_attr(smbios, "mode") : NULL;

    for (int i = 1; mode && sysinfo_mode_words[i]; i++) {
        if (strcmp(sysinfo_mode_words[i], mode) == 0)
            os->smbios_mode = i;
    }
    if (mode && os->smbios_mode == SYSINFO_MODE_NONE)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown smbios mode '%s'", mode);
    return TRUE;
}

/* A versioned q35 of QEMU's is written back as the one that this machine is. */
static void
parse_machine(DomainOs *os, const XmlNode *type)
{
    g_autofree char *machine = xml_attr(type, "machine");

    if (!machine || g_str_has_prefix(machine, "pc-q35-"))
        return;
    g_free(os->machine);
    os->machine = g_steal_pointer(&machine);
}

/* A domain that is no machine's may be of either of the two that PCs have. */
static gboolean
parse_arch(DomainOs *os, const XmlNode *type, GError **error)
{
    g_autofree char *arch = xml_attr(type, "arch");

    if (!arch || strcmp(arch, os->arch) == 0)
        return TRUE;
    if (os->machine || (strcmp(arch, "x86_64") != 0 && strcmp(arch, "i686") != 0))
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "Unknown architecture %s", arch);
    g_free(os->arch);
    os->arch = g_steal_pointer(&arch);
    return TRUE;
}

static gboolean
parse_type(DomainOs *os, const XmlNode *node, GError **error)
{
    const XmlNode *type = node ? xml_child(node, "type") : NULL;
    g_autofree char *text = node ? xml_child_text(node, "type") : NULL;

    if (!text)
        return driver_error(error, VIR_ERR_XML_ERROR, "an os <type> must be specified");
    if (strcmp(text, "hvm") != 0)
        return driver_error(error, VIR_ERR_CONFIG_UNSUPPORTED, "unknown OS type '%s'", text);
    if (!parse_arch(os, type, error))
        return FALSE;
    parse_machine(os, type);
    return TRUE;
}

gboolean
domain_xml_parse_os(DomainOs *os, const XmlNode *root, GError **error)
{
    const XmlNode *node = xml_child(root, "os");

    if (!parse_type(os, node, error))
        return FALSE;
    os->kernel = xml_child_text(node, "kernel");
    os->initrd = xml_child_text(node, "initrd");
    os->cmdline = xml_child_text(node, "cmdline");
    return parse_firmware(os, node, error) && parse_features(os, node, error) &&
           parse_loader(os, node, error) && parse_nvram(os, node, error) &&
           parse_boot(os, node, error) && parse_menu(os, node, error) &&
           parse_bios(os, node, error) && parse_smbios(os, node, error);
}

/* Writing, in libvirt's order. */

static void
put_switch(XmlWriter *out, const char *name, int value)
{
    if (value >= 0)
        xml_put_attr(out, name, switch_words[value]);
}

static void
format_features(const DomainOs *os, XmlWriter *out)
{
    gboolean open = FALSE;

    for (int i = 0; i < DOMAIN_N_FIRMWARE_FEATURES; i++) {
        if (os->firmware_features[i] < 0)
            continue;
        if (!open)
            xml_open(out, "firmware");
        open = TRUE;
        xml_open(out, "feature");
        put_switch(out, "enabled", os->firmware_features[i]);
        xml_put_attr(out, "name", domain_firmware_feature_words[i]);
        xml_close(out);
    }
    if (open)
        xml_close(out);
}

static void
format_loader(const DomainLoader *loader, XmlWriter *out)
{
    if (!loader->path && loader->readonly < 0 && loader->secure < 0 && loader->stateless < 0 &&
        loader->type == DOMAIN_LOADER_NONE)
        return;
    xml_open(out, "loader");
    put_switch(out, "readonly", loader->readonly);
    put_switch(out, "secure", loader->secure);
    if (loader->type != DOMAIN_LOADER_NONE)
        xml_put_attr(out, "type", domain_loader_words[loader->type]);
    put_switch(out, "stateless", loader->stateless);
    if (loader->path)
        xml_put_text(out, loader->path);
    xml_close(out);
}

static void
format_nvram(const DomainNvram *nvram, XmlWriter *out)
{
    if (!nvram->path && !nvram->template)
        return;
    xml_open(out, "nvram");
    if (nvram->template)
        xml_put_attr(out, "template", nvram->template);
    if (nvram->path && nvram->as_source) {
        xml_put_attr(out, "type", "file");
        xml_open(out, "source");
        xml_put_attr(out, "file", nvram->path);
        xml_close(out);
    } else if (nvram->path) {
        xml_put_text(out, nvram->path);
    }
    xml_close(out);
}

static void
format_menu(const DomainOs *os, XmlWriter *out)
{
    if (os->boot_menu < 0)
        return;
    xml_open(out, "bootmenu");
    put_switch(out, "enable", os->boot_menu);
    if (os->boot_menu_ms >= 0)
        xml_put_attr_uint(out, "timeout", os->boot_menu_ms);
    xml_close(out);
}

static void
format_bios(const DomainOs *os, XmlWriter *out)
{
    char text[16];

    if (os->bios_serial < 0 && !os->has_reboot_ms)
        return;
    xml_open(out, "bios");
    put_switch(out, "useserial", os->bios_serial);
    g_snprintf(text, sizeof(text), "%d", (int)os->reboot_ms);
    if (os->has_reboot_ms)
        xml_put_attr(out, "rebootTimeout", text);
    xml_close(out);
}

void
domain_xml_format_os(const DomainOs *os, XmlWriter *out)
{
    xml_open(out, "os");
    if (os->firmware != DOMAIN_FIRMWARE_NONE)
        xml_put_attr(out, "firmware", domain_firmware_words[os->firmware]);
    xml_open(out, "type");
    xml_put_attr(out, "arch", os->arch);
    if (os->machine)
        xml_put_attr(out, "machine", os->machine);
    xml_put_text(out, "hvm");
    xml_close(out);
    format_features(os, out);
    format_loader(&os->loader, out);
    format_nvram(&os->nvram, out);
    xml_put_element(out, "kernel", os->kernel);
    xml_put_element(out, "initrd", os->initrd);
    xml_put_element(out, "cmdline", os->cmdline);
    for (guint i = 0; i < os->n_boot; i++) {
        xml_open(out, "boot");
        xml_put_attr(out, "dev", domain_boot_words[os->boot[i]]);
        xml_close(out);
    }
    format_menu(os, out);
    format_bios(os, out);
    if (os->smbios_mode != SYSINFO_MODE_NONE) {
        xml_open(out, "smbios");
        xml_put_attr(out, "mode", sysinfo_mode_words[os->smbios_mode]);
        xml_close(out);
    }
    xml_close(out);
}
