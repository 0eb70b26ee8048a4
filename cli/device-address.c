#include "cli/device-address.h"

#include "cli/output.h"

#include <glib/gi18n.h>
#include <string.h>

#define PARTS_MAX 4

/* One kind of bus: its addresses' type, the base in which their numbers are read and written, and those: their names, and
 * how many digits they have at least. */
typedef struct Bus {
    const char *name, *type;
    int base;
    struct {
        const char *name;
        int digits;
    } parts[PARTS_MAX];
} Bus;

#define DRIVE_PARTS                                                                                \
    {                                                                                              \
        { "controller" }, { "bus" },                                                               \
        {                                                                                          \
            "unit"                                                                                 \
        }                                                                                          \
    }

static const Bus buses[] = {
    { "pci", "pci", 16, { { "domain", 4 }, { "bus", 2 }, { "slot", 2 }, { "function", 1 } } },
    { "scsi", "drive", 10, DRIVE_PARTS },
    { "ide", "drive", 10, DRIVE_PARTS },
    { "sata", "drive", 10, DRIVE_PARTS },
    { "usb", "usb", 10, { { "bus" }, { "port" } } },
    { "ccw", "ccw", 16, { { "cssid", 2 }, { "ssid", 1 }, { "devno", 4 } } },
};

static const Bus *const pci = &buses[0];

/* Which of them a target's name allows, and what is said of the others. */
static const struct {
    const char *prefix, *const buses[4], *expected;
} targets[] = {
    { "vd", { "pci", "ccw" }, N_("expecting a pci:0000.00.00.00 or ccw:00.0.0000 address.") },
    { "sd",
      { "scsi", "usb", "sata" },
      N_("expecting a scsi:00.00.00 or usb:00.00 or sata:00.00.00 address.") },
    { "hd", { "ide" }, N_("expecting an ide:00.00.00 address.") },
};

/* The element without its end: @text has all numbers of @bus, with one dot or colon between. NULL: it has not. */
static GString *
element_of(const Bus *bus, const char *text)
{
    g_autoptr(GString) xml = g_string_new(NULL);

    g_string_append_printf(xml, "<address type='%s'", bus->type);
    for (gsize i = 0; i < PARTS_MAX && bus->parts[i].name; i++) {
        guint64 value;
        char *end;

        if (i > 0 && *text != '.' && *text != ':')
            return NULL;
        text += i > 0;
        value = g_ascii_strtoull(text, &end, (guint)bus->base);
        if (!g_ascii_isxdigit(*text) || end == text || value > G_MAXUINT)
            return NULL;
        text = end;
        if (bus->base == 16)
            g_string_append_printf(xml, " %s='0x%0*x'", bus->parts[i].name, bus->parts[i].digits,
                                   (guint)value);
        else
            g_string_append_printf(xml, " %s='%u'", bus->parts[i].name, (guint)value);
    }
    return *text ? NULL : g_steal_pointer(&xml);
}

static const Bus *
find_bus(const char *text, gsize length)
{
    for (gsize i = 0; i < G_N_ELEMENTS(buses); i++) {
        if (strlen(buses[i].name) == length && strncmp(buses[i].name, text, length) == 0)
            return &buses[i];
    }
    return NULL;
}

static gboolean
check_target(const char *target, const Bus *bus, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(targets); i++) {
        if (!g_str_has_prefix(target, targets[i].prefix))
            continue;
        return g_strv_contains(targets[i].buses, bus->name) ||
               cli_fail(error, "%s", _(targets[i].expected));
    }
    return TRUE;
}

char *
device_address_of_disk(const char *text, const char *target, gboolean multifunction, GError **error)
{
    const char *colon = strchr(text, ':');
    const Bus *bus = colon ? find_bus(text, (gsize)(colon - text)) : NULL;
    g_autoptr(GString) xml = bus ? element_of(bus, colon + 1) : NULL;

    if (!xml) {
        cli_fail(error, "%s", _("Invalid address."));
        return NULL;
    }
    if (!check_target(target, bus, error))
        return NULL;
    return g_strdup_printf("  %s%s/>\n", xml->str,
                           multifunction && bus == pci ? " multifunction='on'" : "");
}

char *
device_address_of_host(const char *text)
{
    g_autoptr(GString) xml = element_of(pci, text);

    return xml ? g_strdup_printf("    %s/>\n", xml->str) : NULL;
}
